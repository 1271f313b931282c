/** Leader election (§5.2, §5.4.1), with pre-vote (thesis §9.6) and protection of a live leader (thesis §4.2.3). */
import type { Cause, VoteReason } from './border.js'
import { isPromised } from './lease.js'
import type { PreVote, PreVoteResponse, RequestVote, RequestVoteResponse } from './messages.js'
import { isVoter, membersOf, tallyVotes } from './quorum.js'
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles.js'
import { isHardStateFlushed, type RaftState, send, sendOnceFlushed } from './state.js'
import type { NodeId } from './types.js'

/** Begins with the question whether an election could be won. */
export function campaign(state: RaftState, cause: Cause): void {
  if (!mayCampaign(state)) return
  state.campaign++
  becomePreCandidate(state, cause)
  state.votes.set(state.id, true)
  askForVotes(state)
  countPreVotes(state)
}

/** Begins with the election itself, as a leader asks its successor to (thesis §3.10). The promise to a leader ends here. */
export function timeoutNow(state: RaftState, cause: Cause): void {
  if (!mayCampaign(state)) return
  state.campaign++
  state.leaderElapsedTicks = state.limits.electionTimeoutTicks
  if (cause.reason === 'transfer') state.transferTerm = state.currentTerm + 1
  startElection(state, cause)
}

/**
 * A voter may campaign. A voter that the latest configuration leaves out may do so as well until it knows that this
 * configuration is committed: the others may lack the configuration, and wait for a candidate that has it (thesis
 * §4.2.2).
 */
function mayCampaign(state: RaftState): boolean {
  const { id, log, priority, role } = state
  const { membership, membershipBefore = membership } = log
  const isCandidate = isVoter(membership, id) || isVoter(membershipBefore, id)
  return role !== 'leader' && priority > 0 && isCandidate && hasCaughtUp(state)
}

/** Starts the election proper: a new term, our own vote, RequestVote to all others (§5.2). */
function startElection(state: RaftState, cause: Cause): void {
  becomeCandidate(state, cause)
  askForVotes(state)
}

/** Asks all voters who have not answered: once at the start, and again in case a message was lost (§5.1). */
export function askForVotes(state: RaftState): void {
  const { id: from, currentTerm: term, campaign } = state
  const { index: lastLogIndex, term: lastLogTerm } = state.log.last
  const asked = state.transferTerm === term ? ({ isTransfer: true } as const) : undefined
  for (const to of otherVoters(state)) {
    if (state.votes.has(to)) continue
    if (state.role === 'preCandidate') {
      const nextTerm = term + 1
      send(state, { type: 'preVote', from, to, term, nextTerm, campaign, lastLogIndex, lastLogTerm })
    } else {
      // After the flush: a candidate that forgot its own vote in a crash could give it to another.
      sendOnceFlushed(state, { type: 'requestVote', from, to, term, lastLogIndex, lastLogTerm, ...asked }, 0)
    }
  }
}

/** Our own vote is on disk, and may be counted. */
export function onHardStateFlushed(state: RaftState): void {
  if (state.role !== 'candidate' || !isHardStateFlushed(state) || state.votes.has(state.id)) return
  state.votes.set(state.id, true)
  countVotes(state)
}

/**
 * Every reason not even to look at a request for a vote. While a leader is heard, an election would only
 * disturb it, and break the promise that its lease stands on: neither term nor vote changes (thesis §4.2.3, §6.4.1).
 * A leader that hands over has given up its lease, so an election that it asked for is not ignored.
 */
export function ignoresVoteRequest(state: RaftState, message: PreVote | RequestVote): boolean {
  if (message.type === 'requestVote' && message.isTransfer) return false
  return state.role === 'leader' || isPromised(state)
}

/**
 * False for a node that took the place of one that lost its disk, until its log ends in an entry of a term in which the
 * lost one took no part. The leader of such a term was elected by nodes that have their disks, so it holds all that
 * the lost disk had acknowledged; and so does a log that ends in an entry of this leader.
 */
function hasCaughtUp({ log, votesFromTerm }: RaftState): boolean {
  return log.last.term >= votesFromTerm
}

/** Answers a pre-vote as a vote would be answered, and changes nothing (thesis §9.6). */
export function onPreVote(state: RaftState, message: PreVote): void {
  const { id: from, currentTerm: term } = state
  const reason = message.nextTerm > state.currentTerm ? reasonByLog(state, message) : 'earlierTerm'
  const { from: to, campaign } = message
  send(state, { type: 'preVoteResponse', from, to, term, campaign, voteGranted: isGranted(reason) })
  tellOfVote(state, message, reason)
}

export function onPreVoteResponse(state: RaftState, message: PreVoteResponse): void {
  // An answer to an earlier campaign tells of the logs as they were then.
  if (state.role !== 'preCandidate' || message.campaign !== state.campaign) return
  state.votes.set(message.from, message.voteGranted)
  countPreVotes(state)
}

/** RequestVote, receiver side (Figure 2). Each node votes at most once a term, first come first served (§5.2). */
export function onRequestVote(state: RaftState, message: RequestVote): void {
  const { from: to, term: electionTerm } = message
  const reason = reasonForVote(state, message)
  const voteGranted = isGranted(reason)
  const { id: from, currentTerm: term } = state
  const answer = { type: 'requestVoteResponse', from, to, term, electionTerm, voteGranted } as const
  tellOfVote(state, message, reason)
  // A refusal promises nothing, so it waits for no flush, and takes the place of no vote that does.
  if (!voteGranted) return send(state, answer)
  state.votedFor = to
  // A voter gives its candidate the time to win (§5.2).
  state.electionElapsedTicks = 0
  sendOnceFlushed(state, answer, 0)
}

function reasonForVote(state: RaftState, message: RequestVote): VoteReason {
  if (message.term < state.currentTerm) return 'earlierTerm'
  // A vote that was given is given again, however long this log has grown since: a refusal would take it back.
  if (state.votedFor === message.from) return 'votedBefore'
  if (state.votedFor !== undefined) return 'votedForAnother'
  return reasonByLog(state, message)
}

function reasonByLog(state: RaftState, { lastLogIndex, lastLogTerm }: RequestVote | PreVote): VoteReason {
  if (!hasCaughtUp(state)) return 'diskLost'
  return state.log.isUpToDate({ index: lastLogIndex, term: lastLogTerm }) ? 'logUpToDate' : 'logBehind'
}

function isGranted(reason: VoteReason): boolean {
  return reason === 'logUpToDate' || reason === 'votedBefore'
}

/** Tells people how a request for a vote was answered. */
export function tellOfVote(state: RaftState, message: RequestVote | PreVote, reason: VoteReason): void {
  const isPreVote = message.type === 'preVote'
  state.outbox.events.push({
    type: 'voteAnswered',
    candidateId: message.from,
    term: isPreVote ? message.nextTerm : message.term,
    isPreVote,
    voteGranted: isGranted(reason),
    reason,
  })
}

export function onRequestVoteResponse(state: RaftState, message: RequestVoteResponse): void {
  // An answer to an earlier election says nothing about this one.
  if (state.role !== 'candidate' || message.electionTerm !== state.currentTerm) return
  // A vote is a promise and a refusal is none: a refusal that comes late takes no vote back.
  if (state.votes.get(message.from) === true) return
  state.votes.set(message.from, message.voteGranted)
  countVotes(state)
}

function countPreVotes(state: RaftState): void {
  const verdict = tallyVotes(state.log.membership, (id) => state.votes.get(id))
  if (verdict === 'won') startElection(state, { reason: 'preVoteWon', decidedBy: votersWho(state, true) })
  else if (verdict === 'lost') loseElection(state)
}

function countVotes(state: RaftState): void {
  // Our own vote first: without it on disk, nobody else's makes us leader.
  if (!state.votes.has(state.id)) return
  const verdict = tallyVotes(state.log.membership, (id) => state.votes.get(id))
  if (verdict === 'won') becomeLeader(state, { reason: 'electionWon', decidedBy: votersWho(state, true) })
  else if (verdict === 'lost') loseElection(state)
}

function loseElection(state: RaftState): void {
  const decidedBy = votersWho(state, false)
  becomeFollower(state, state.currentTerm, undefined, { reason: 'electionLost', decidedBy })
}

function votersWho({ votes }: RaftState, granted: boolean): NodeId[] {
  return [...votes].flatMap(([id, voteGranted]) => (voteGranted === granted ? id : []))
}

function otherVoters(state: RaftState): NodeId[] {
  const { membership } = state.log
  return membersOf(membership).filter((id) => id !== state.id && isVoter(membership, id))
}
