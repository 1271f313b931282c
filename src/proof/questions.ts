/**
 * Every answer counts for the question that it answers, and for no other: what nodes make of answers that come late,
 * repeated, or from an earlier election, campaign or leadership. The checks look at what was asked and at what each node
 * held then; of the numbers by which the protocol tells questions apart they believe the term of an election alone.
 */
import {
  type AppendEntries,
  type EntryId,
  entriesIn,
  type InstallSnapshot,
  lastIndexOf,
  type Message,
  type NodeId,
  type RaftEvent,
  type RaftView,
  type ReadIndexResponse,
  type Role,
  type Term,
} from '../raft/index.js'
import { isMajority } from './configurations.js'

interface AskedNode {
  readonly id: NodeId
  readonly state: RaftView | undefined
}

/** A node's numbers before it took a message. */
interface Before {
  readonly nextIndex: number | undefined
  readonly snapshotIndex: number | undefined
  readonly snapshotOffset: number
  readonly incomingIndex: number
  readonly commitIndex: number
  readonly term: Term
  readonly votedFor: NodeId | undefined
  readonly role: Role
}

export class Questions {
  readonly #report: (rule: string, detail: string) => void
  /** Orders what happens. */
  #now = 0
  /** When each node last began to campaign, and when each other node last told it that it would vote for it. */
  readonly #campaigns = new Map<NodeId, number>()
  readonly #preVotes = new Map<string, number>()
  /** Votes as they left, and as candidates heard them: `voter>candidate@term`. */
  readonly #votes = new Set<string>()
  readonly #heardVotes = new Map<string, Set<NodeId>>()
  /** Places that a follower lacked when a leader's message followed on them. */
  readonly #lacks = new Set<string>()
  /** Chunks that were answered, with the offset that was wanted then. */
  readonly #wanted = new Set<string>()
  /** The last entry of which a leader told each node, by a readIndex, that it is committed. */
  readonly #readIndexes = new Map<NodeId, readonly EntryId[]>()
  #before: Before | undefined

  constructor(report: (rule: string, detail: string) => void) {
    this.#report = report
  }

  /** A message leaves its node. */
  sent({ state }: AskedNode, message: Message): void {
    this.#now++
    const { from, to } = message
    if (message.type === 'preVoteResponse' && message.voteGranted) {
      this.#preVotes.set(`${from}>${to}`, this.#now)
    } else if (message.type === 'requestVoteResponse') {
      const vote = `${from}>${to}@${message.electionTerm}`
      if (message.voteGranted) this.#votes.add(vote)
      // A refusal of a later term says that the election is over, and takes nothing back in it.
      else if (message.term === message.electionTerm && this.#votes.has(vote))
        this.#report('a vote is not taken back', `node ${from} voted for ${to}, and refuses: ${vote}`)
    } else if (message.type === 'appendEntries') {
      const first = entriesIn(message)[0]?.index ?? Number.POSITIVE_INFINITY
      const matchIndex = state?.leadership?.progressOf(to)?.matchIndex ?? 0
      if (first <= matchIndex)
        this.#report('entries are sent once', `node ${from} sends ${to} ${first}, which has ${matchIndex}`)
    }
  }

  /** A node is about to take a message. */
  asked({ id, state }: AskedNode, message: Message): void {
    if (state === undefined) return
    const { nextIndex, snapshot, snapshotOffset = 0 } = state.leadership?.progressOf(message.from) ?? {}
    const incomingIndex = state.incomingSnapshot?.snapshot.index ?? 0
    const { currentTerm: term, votedFor, role } = state
    const { commitIndex } = state.log
    const snapshotIndex = snapshot?.index
    const ofSnapshot = { snapshotIndex, snapshotOffset, incomingIndex }
    this.#before = { nextIndex, ...ofSnapshot, commitIndex, term, votedFor, role }
    if (message.type === 'appendEntries' && !state.log.has(prevOf(message))) {
      this.#lacks.add(lackOf(id, message.from, message.term, message.prevLogIndex))
    }
  }

  /** A node has taken it. */
  took({ id, state }: AskedNode, message: Message): void {
    const before = this.#before
    this.#before = undefined
    if (state === undefined || before === undefined) return
    if (message.type === 'requestVoteResponse') this.#voteHeard(id, state, message.from, message)
    else if (message.type === 'preVote') this.#preVoteTaken(id, state, message.term, before)
    else if (message.type === 'preVoteResponse') this.#preVoteHeard(id, state, before)
    else if (message.type === 'installSnapshot') this.#chunkTaken(id, state, message, before)
    else if (message.type === 'appendEntries') this.#entriesTaken(id, state, message, before)
    else if (message.type === 'readIndexResponse') this.#readIndexTaken(id, message)
    else if (state.role === 'leader' && state.currentTerm === before.term)
      this.#answerTaken(id, state, message, before)
  }

  /** A node tells of itself. */
  observed(id: NodeId, event: RaftEvent): void {
    this.#now++
    if (event.type === 'role' && event.role === 'preCandidate') this.#campaigns.set(id, this.#now)
  }

  /** A node that is asked whether it would vote gives no vote, and goes to no later term than the one who asks is in. */
  #preVoteTaken(id: NodeId, { currentTerm, votedFor }: RaftView, term: Term, before: Before): void {
    const isSameTerm = currentTerm === before.term
    const isUnchanged = isSameTerm
      ? votedFor === before.votedFor
      : currentTerm === term && votedFor === undefined
    if (isUnchanged) return
    const now = `is in term ${currentTerm} with the vote for ${votedFor}`
    this.#report('a pre-vote binds nobody', `node ${id} was asked in term ${term}, and ${now}`)
  }

  /** A pre-candidate becomes a candidate once a majority would vote for it, of both halves of a joint configuration. */
  #preVoteHeard(id: NodeId, { role, currentTerm, membership }: RaftView, before: Before): void {
    if (before.role !== 'preCandidate' || role !== 'candidate') return
    const since = this.#campaigns.get(id) ?? this.#now
    const isWilling = (voter: NodeId): boolean =>
      voter === id || (this.#preVotes.get(`${voter}>${id}`) ?? 0) > since
    if (!isMajority(membership, isWilling))
      this.#report(
        'no term is raised in vain',
        `node ${id} becomes candidate of ${currentTerm}, and ${membership.voters.filter(isWilling)} would vote for it since it asked`,
      )
  }

  #voteHeard(
    id: NodeId,
    state: RaftView,
    from: NodeId,
    { voteGranted, electionTerm }: Message & { type: 'requestVoteResponse' },
  ): void {
    if (state.role !== 'candidate') return
    const election = `${id}@${state.currentTerm}`
    const heard = this.#heardVotes.get(election) ?? new Set()
    this.#heardVotes.set(election, heard)
    if (voteGranted && electionTerm === state.currentTerm) heard.add(from)
    for (const voter of heard) {
      if (state.votes.get(voter) !== true)
        this.#report(
          'a vote is not taken back',
          `candidate ${id} heard the vote of ${voter}, and counts none`,
        )
    }
  }

  /** Answers come late and out of order, so that a node may go by any of them. */
  #readIndexTaken(id: NodeId, { readIndex, term }: ReadIndexResponse): void {
    if (readIndex === undefined) return
    this.#readIndexes.set(id, [...(this.#readIndexes.get(id) ?? []), { index: readIndex, term }])
  }

  /**
   * Beyond the last entry of a message a follower's log is not known to be the leader's, but for an entry that a leader
   * told to be committed [RD20].
   */
  #entriesTaken(id: NodeId, { log }: RaftView, message: AppendEntries, { commitIndex }: Before): void {
    const lastRun = entriesIn(message).at(-1)
    const lastNewIndex = lastRun === undefined ? message.prevLogIndex : lastIndexOf(lastRun)
    const told = (this.#readIndexes.get(id) ?? []).filter(({ index }) => index > commitIndex)
    this.#readIndexes.set(id, told)
    const readIndex = Math.max(0, ...told.map((entry) => (log.has(entry) ? entry.index : 0)))
    if (log.commitIndex > Math.max(commitIndex, readIndex, Math.min(message.leaderCommit, lastNewIndex)))
      this.#report('commit rule', `node ${id} commits ${log.commitIndex}, and was told of ${lastNewIndex}`)
  }

  #chunkTaken(id: NodeId, state: RaftView, message: InstallSnapshot, before: Before): void {
    const { snapshot, offset } = state.incomingSnapshot ?? {}
    if (snapshot === undefined) return
    if (state.currentTerm === before.term && snapshot.index < before.incomingIndex)
      this.#report('a transfer goes on', `node ${id} gives up ${before.incomingIndex} for ${snapshot.index}`)
    if (message.term === state.currentTerm && message.lastIncludedIndex === snapshot.index)
      this.#wanted.add(wantOf(id, message.from, message.term, snapshot.index, message.offset, offset ?? 0))
  }

  /** An answer at the leader of this term: it goes back for nothing that was not found out in this term. */
  #answerTaken(id: NodeId, state: RaftView, message: Message, before: Before): void {
    const { from } = message
    const progress = state.leadership?.progressOf(from)
    if (progress === undefined || before.nextIndex === undefined) return
    if (progress.nextIndex <= progress.matchIndex)
      this.#report(
        'entries are sent once',
        `node ${id} would send ${from} ${progress.nextIndex}, which it has`,
      )
    if (
      message.type === 'appendEntriesResponse' &&
      !message.success &&
      progress.nextIndex < before.nextIndex
    ) {
      const lack = lackOf(from, id, state.currentTerm, message.prevLogIndex)
      if (!this.#lacks.has(lack))
        this.#report(
          'a refusal counts for its question',
          `leader ${id} goes back from ${before.nextIndex} to ${progress.nextIndex} for ${from}: nothing was lacking (${lack})`,
        )
    }
    const isSameTransfer = progress.snapshot !== undefined && progress.snapshot.index === before.snapshotIndex
    if (!isSameTransfer || progress.snapshotOffset >= before.snapshotOffset) return
    const want = wantOf(
      from,
      id,
      state.currentTerm,
      before.snapshotIndex,
      before.snapshotOffset,
      progress.snapshotOffset,
    )
    if (!this.#wanted.has(want))
      this.#report('a transfer goes on', `leader ${id} goes back for ${from}, which did not want it: ${want}`)
  }
}

function prevOf({ prevLogIndex, prevLogTerm }: AppendEntries) {
  return { index: prevLogIndex, term: prevLogTerm }
}

function lackOf(follower: NodeId, leader: NodeId, term: Term, prevLogIndex: number): string {
  return `${follower}<${leader}@${term}:${prevLogIndex}`
}

function wantOf(
  follower: NodeId,
  leader: NodeId,
  term: Term,
  index: number,
  chunk: number,
  wanted: number,
): string {
  return `${follower}<${leader}@${term} snapshot ${index}: ${chunk}, then ${wanted}`
}
