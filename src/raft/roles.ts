/** The changes of role (Figure 4), each with its reason. */
import type { Cause } from './border.js'
import { emptyRun } from './entry-run.js'
import { isPromised } from './lease.js'
import type { RaftLimits } from './options.js'
import { Progress } from './progress.js'
import { membersOf } from './quorum.js'
import type { Random } from './random.js'
import { giveUpAskedReads } from './read-index.js'
import type { Leadership, RaftState } from './state.js'
import { assert, type NodeId, type Role, type Term } from './types.js'

export function becomeFollower(
  state: RaftState,
  term: Term,
  leaderId: NodeId | undefined,
  cause: Cause,
): void {
  const isNews = state.role !== 'follower' || term !== state.currentTerm || leaderId !== state.leaderId
  adoptTerm(state, term)
  endLeadership(state)
  state.votes.clear()
  // A follower that only learns of a new term goes on waiting: what puts off its election is a leader or a vote (§5.2).
  if (state.role !== 'follower') enter(state, 'follower')
  // With one draw for life, who drew the longest would never lead: the others win, fail as leaders, and leave the
  // next election to wait for it.
  else if (isNews && leaderId !== undefined) drawElectionTimeout(state)
  state.leaderId = leaderId
  if (isNews) announce(state, cause)
}

/** Asks first whether an election could be won; term and vote stay as they are (thesis §9.6). */
export function becomePreCandidate(state: RaftState, cause: Cause): void {
  assert(state.role !== 'leader', 'a leader does not campaign')
  giveUpAskedReads(state)
  state.votes.clear()
  enter(state, 'preCandidate')
  state.leaderId = undefined
  announce(state, cause)
}

/** Increments currentTerm and votes for itself (§5.2). The own vote counts once it is on disk. */
export function becomeCandidate(state: RaftState, cause: Cause): void {
  assert(state.role !== 'leader', 'a leader does not campaign')
  assert(
    !isPromised(state),
    'who answered a leader votes for nobody, itself included, for an election timeout',
  )
  adoptTerm(state, state.currentTerm + 1)
  state.votedFor = state.id
  state.votes.clear()
  enter(state, 'candidate')
  state.leaderId = undefined
  announce(state, cause)
}

/**
 * Starts to lead: nextIndex is the index after the last entry, and an empty entry of the new term opens it,
 * for only by committing an entry of its own term does a leader learn what is committed (§5.4.2, §8).
 */
export function becomeLeader(state: RaftState, cause: Cause): void {
  assert(state.role === 'candidate', 'only a candidate becomes leader')
  assert(
    state.flushedHardState.currentTerm === state.currentTerm,
    'a leader counts its own vote once it is on disk',
  )
  enter(state, 'leader')
  state.leaderId = state.id
  state.incomingSnapshot = undefined
  state.leadership = newLeadership(state)
  state.log.push(emptyRun(state.log.lastIndex + 1, state.currentTerm))
  announce(state, cause)
}

/** A new term brings a new vote; an old term never comes back. */
function adoptTerm(state: RaftState, term: Term): void {
  assert(term >= state.currentTerm, 'currentTerm never falls')
  if (term === state.currentTerm) return
  state.currentTerm = term
  state.votedFor = undefined
  giveUpAskedReads(state)
  // What waited to be promised in the old term may have been truncated since: it is not promised any more.
  state.outbox.waitingAck = undefined
  state.outbox.messagesAfterFlush = []
  // Another leader's snapshot of the same entry need not have the same bytes: its chunks are not mixed.
  state.incomingSnapshot = undefined
}

function enter(state: RaftState, role: Role): void {
  state.role = role
  state.electionElapsedTicks = 0
  drawElectionTimeout(state)
  state.heartbeatElapsedTicks = 0
}

/** Takes the place of a draw, and stays within what a draw may give. */
export function setElectionTimeout(state: RaftState, ticks: number): void {
  const { electionTimeoutTicks } = state.limits
  const isDrawable =
    Number.isInteger(ticks) && ticks > electionTimeoutTicks && ticks <= 2 * electionTimeoutTicks
  assert(
    isDrawable,
    `an election timeout is from ${electionTimeoutTicks + 1} to ${2 * electionTimeoutTicks} ticks`,
  )
  state.randomizedElectionTimeoutTicks = ticks
}

function drawElectionTimeout(state: RaftState): void {
  state.randomizedElectionTimeoutTicks = randomizedElectionTimeoutTicks(state.limits, state.random)
}

/** One tick more than the timeout at least, so that who answers has stopped waiting for the leader too. */
export function randomizedElectionTimeoutTicks({ electionTimeoutTicks }: RaftLimits, random: Random): number {
  return electionTimeoutTicks + 1 + random.below(electionTimeoutTicks)
}

function announce(state: RaftState, cause: Cause): void {
  const { role, currentTerm: term, leaderId } = state
  state.outbox.events.push({ type: 'role', role, term, leaderId, ...cause })
}

function newLeadership(state: RaftState): Leadership {
  const progress = new Map<NodeId, Progress>()
  followMembership(state, progress)
  // No round has left yet: what counts as answered until then gives no lease.
  const sentRounds = [{ round: 0, at: Number.NEGATIVE_INFINITY }]
  return {
    progress,
    formerMembers: [],
    heartbeatRound: 0,
    sentRounds,
    waitingReads: [],
    waitingQuestions: [],
    confirmingReads: undefined,
    transfer: undefined,
    isLeaseGivenUp: false,
  }
}

/** A leader keeps the progress of each other member: of those in the latest configuration of its log (§6). */
export function followMembership({ id: self, log }: RaftState, progress: Map<NodeId, Progress>): void {
  const others = membersOf(log.membership).filter((id) => id !== self)
  for (const id of progress.keys()) if (!others.includes(id)) progress.delete(id)
  for (const id of others) {
    if (progress.has(id)) continue
    const progressOfOne = new Progress(log.lastIndex + 1)
    progressOfOne.isRecentlyActive = true
    progress.set(id, progressOfOne)
  }
}

/** A deposed leader cannot confirm reads: their callers ask the next one. */
function endLeadership(state: RaftState): void {
  if (state.leadership === undefined) return
  const { confirmingReads, waitingReads, transfer } = state.leadership
  const ids = [...(confirmingReads?.ids ?? []), ...waitingReads]
  if (ids.length > 0) state.outbox.reads.push({ ids, readIndex: undefined })
  if (transfer?.to !== undefined)
    state.outbox.events.push({ type: 'transferEnded', to: transfer.to, isDone: transfer.isToldToStart })
  state.leadership = undefined
}
