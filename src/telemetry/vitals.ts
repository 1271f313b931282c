/**
 * Vitals: the state of a node beside its counters, told in shared memory to all who look at it. The node tells them on
 * its ticks, on a change of its role, and when it hears a vote: never for a command.
 */
import type { LogIndex, Message, NodeId, Raft, RaftEvent, Term } from '../raft/index.js'
import type { RequestsWaiting } from './probe.js'
import { ToldMemory } from './told-memory.js'

export interface Vitals {
  /** When the node told them, on the clock of the story. */
  readonly atMs: number
  /** When the last tick was. The ticks below are as of then. */
  readonly tickedAtMs: number
  /** Ticks of the node since it heard a leader or gave its vote. A leader: since it checked its quorum. */
  readonly electionElapsedTicks: number
  /** Ticks after which it campaigns if it hears nobody, as they were drawn by chance. */
  readonly electionTimeoutTicks: number
  /** Of a candidate, and of one before its election: the nodes that granted it their vote, itself included. */
  readonly votes: readonly NodeId[]
  readonly isLeaseHeld: boolean
  /** Pieces of a leader's snapshot have come, and the node does not hold the whole of it yet. */
  readonly isSnapshotIncoming: boolean
  /** Of a leader: how far each other node is. */
  readonly progress: readonly ProgressTold[]
  /** The terms of the entries in its log, oldest first. Of very many, the last ones. */
  readonly terms: readonly TermRun[]
  readonly queues: QueuesTold
}

/** All entries of the log from `firstIndex` on have this term, until the next run begins. */
export interface TermRun {
  readonly firstIndex: LogIndex
  readonly term: Term
}

export interface ProgressTold {
  readonly nodeId: NodeId
  readonly nextIndex: LogIndex
  readonly matchIndex: LogIndex
  readonly bytesInFlight: number
  /** A snapshot is on its way to the node. */
  readonly isSnapshotSent: boolean
}

/** Work that waits at a node. */
export interface QueuesTold {
  /** Entries of its log that it does not know to be committed. */
  readonly uncommitted: EntriesWaiting
  /** Entries of its log that its own disk does not hold yet. */
  readonly unflushed: EntriesWaiting
  /** Committed entries that its state machine does not hold yet. */
  readonly unapplied: EntriesWaiting
  /** Writes that are with its disk. */
  readonly writes: number
  /** Messages that wait for the next write: they promise what it is to make durable. */
  readonly messagesAfterFlush: number
  /** As of the last tick. */
  readonly requests: RequestsWaiting
}

export interface EntriesWaiting {
  readonly entries: number
  /** The objects around the entries included, as the log weighs them. */
  readonly bytes: number
}

/** Vitals are told no more often than this on ticks. */
const toldMs = 50
const termsMax = 64
/** The largest vitals, those of 25 nodes and 64 terms with numbers of the most digits, take less than a half. */
const textBytes = 16 << 10

export function allocateVitals(): SharedArrayBuffer {
  return ToldMemory.allocate(textBytes)
}

export class VitalSigns {
  readonly #memory: ToldMemory<Vitals>
  /** The least time from one telling to the next; half a tick less than wanted, as ticks come a little early and late. */
  readonly #pauseMs: number
  #toldAtMs = Number.NEGATIVE_INFINITY
  #tickedAtMs: number | undefined
  /** Something changed that is not to wait for a tick. */
  #isDue = false
  #isLeaseHeld = false
  #requests: RequestsWaiting = { proposals: 0, reads: 0, readBytes: 0 }

  constructor(memory: SharedArrayBuffer, tickMs: number) {
    this.#memory = new ToldMemory(memory)
    this.#pauseMs = toldMs - tickMs / 2
  }

  happened({ type }: RaftEvent): void {
    if (type !== 'role') return
    this.#isDue = true
    this.#isLeaseHeld = false
  }

  received({ type }: Message): void {
    if (type === 'preVoteResponse' || type === 'requestVoteResponse') this.#isDue = true
  }

  ticked(state: Raft['state'], isLeaseHeld: () => boolean, requests: RequestsWaiting, nowMs: number): void {
    this.#tickedAtMs = nowMs
    if (nowMs - this.#toldAtMs < this.#pauseMs) return
    this.#requests = requests
    this.#isLeaseHeld = state.role === 'leader' && isLeaseHeld()
    this.tell(state, nowMs)
  }

  turnEnded(state: Raft['state'], nowMs: number): void {
    if (this.#isDue) this.tell(state, nowMs)
  }

  tell(state: Raft['state'], atMs: number): void {
    this.#isDue = false
    this.#toldAtMs = atMs
    this.#memory.tell({
      ...{ atMs, tickedAtMs: this.#tickedAtMs ?? atMs, isLeaseHeld: this.#isLeaseHeld },
      ...vitalsOf(state, this.#requests),
    })
  }
}

function vitalsOf(
  state: Raft['state'],
  requests: RequestsWaiting,
): Omit<Vitals, 'atMs' | 'tickedAtMs' | 'isLeaseHeld'> {
  const { role, log, leadership } = state
  const isCandidate = role === 'candidate' || role === 'preCandidate'
  return {
    electionElapsedTicks: state.electionElapsedTicks,
    electionTimeoutTicks: state.randomizedElectionTimeoutTicks,
    votes: isCandidate ? [...state.votes].flatMap(([id, isGranted]) => (isGranted ? id : [])) : [],
    isSnapshotIncoming: state.incomingSnapshot !== undefined,
    progress: [...(leadership?.progress ?? [])].map(([nodeId, progress]) => ({
      nodeId,
      nextIndex: progress.nextIndex,
      matchIndex: progress.matchIndex,
      bytesInFlight: progress.inflightBytes,
      isSnapshotSent: progress.state === 'snapshot',
    })),
    terms: termsOf(log),
    queues: { ...queuesOf(state), requests },
  }
}

/** The last terms of a log. A search for each, however many entries there are. */
function termsOf(log: Raft['state']['log']): TermRun[] {
  const terms: TermRun[] = []
  let { index, term } = log.last
  while (index > log.base.index && terms.length < termsMax) {
    const before = log.lastIndexOfTermUpTo(term - 1)
    terms.unshift({ firstIndex: before + 1, term })
    index = before
    term = log.termAt(before) ?? 0
  }
  return terms
}

function queuesOf({ log, pendingWrites, messagesAfterFlush }: Raft['state']): Omit<QueuesTold, 'requests'> {
  const { lastIndex, flushedIndex, commitIndex, lastApplied } = log
  // A snapshot of the leader stands for all before it, and is no entry that waits.
  const waiting = (from: LogIndex, to: LogIndex): EntriesWaiting => ({
    entries: to - Math.max(from, log.base.index),
    bytes: log.weightAfter(from) - log.weightAfter(to),
  })
  return {
    uncommitted: waiting(commitIndex, lastIndex),
    unflushed: waiting(flushedIndex, lastIndex),
    unapplied: waiting(lastApplied, commitIndex),
    writes: pendingWrites,
    messagesAfterFlush,
  }
}
