/**
 * The view of a node that a person, a driver or a checker may read: always the present state. Nothing that is read can
 * be used to change the node: numbers and frozen objects are handed out as they are, and all else as a copy.
 */
import type { LogRun } from './entry-run.js'
import type { RaftLog } from './log.js'
import type { RaftLimits } from './options.js'
import { copyOf } from './plain-data.js'
import type { Progress, ProgressState } from './progress.js'
import type {
  AskedReads,
  IncomingSnapshot,
  Leadership,
  RaftState,
  ReadQuestion,
  SentRound,
  Transfer,
} from './state.js'
import type { EntryId, LogIndex, Membership, NodeId, Role, Snapshot, Term } from './types.js'

export class RaftView {
  readonly #state: RaftState
  readonly log: LogView
  #leadership: Leadership | undefined
  #leadershipView: LeadershipView | undefined

  constructor(state: RaftState) {
    this.#state = state
    this.log = new LogView(state.log)
    Object.freeze(this)
  }

  get id(): NodeId {
    return this.#state.id
  }

  get limits(): RaftLimits {
    return this.#state.limits
  }

  get membership(): Membership {
    return this.#state.log.membership
  }

  /** The entry that holds `membership`. */
  get membershipIndex(): LogIndex {
    return this.#state.log.membershipIndex
  }

  get currentTerm(): Term {
    return this.#state.currentTerm
  }

  get votedFor(): NodeId | undefined {
    return this.#state.votedFor
  }

  get role(): Role {
    return this.#state.role
  }

  get leaderId(): NodeId | undefined {
    return this.#state.leaderId
  }

  get electionElapsedTicks(): number {
    return this.#state.electionElapsedTicks
  }

  get leaderElapsedTicks(): number {
    return this.#state.leaderElapsedTicks
  }

  get randomizedElectionTimeoutTicks(): number {
    return this.#state.randomizedElectionTimeoutTicks
  }

  get campaign(): number {
    return this.#state.campaign
  }

  get votes(): ReadonlyMap<NodeId, boolean> {
    return copyOf(this.#state.votes)
  }

  /** At a node that does not lead: how many reads wait for the leader's answer, or to be asked about. */
  get waitingReads(): number {
    const { readsToAsk, askedReads } = this.#state
    return readsToAsk.length + (askedReads?.ids.length ?? 0)
  }

  /** The question to the leader that is not answered. */
  get askedReads(): Readonly<AskedReads> | undefined {
    return copyOf(this.#state.askedReads)
  }

  get incomingSnapshot(): Readonly<IncomingSnapshot> | undefined {
    return copyOf(this.#state.incomingSnapshot)
  }

  /** The leader's own fields; `undefined` while the node does not lead. */
  get leadership(): LeadershipView | undefined {
    const { leadership } = this.#state
    if (leadership !== this.#leadership) {
      this.#leadership = leadership
      this.#leadershipView = leadership && new LeadershipView(leadership)
    }
    return this.#leadershipView
  }

  /** How many writes are with the store and not flushed. */
  get pendingWrites(): number {
    return this.#state.pendingHardStates.length
  }

  /** How many messages wait for a write that the store has not been given. */
  get messagesAfterFlush(): number {
    return this.#state.outbox.messagesAfterFlush.length
  }
}

/** The log: its pointers, and questions. */
export class LogView {
  readonly #log: RaftLog

  constructor(log: RaftLog) {
    this.#log = log
    Object.freeze(this)
  }

  get base(): EntryId {
    return this.#log.base
  }

  get snapshot(): Snapshot | undefined {
    return this.#log.snapshot
  }

  get firstIndex(): LogIndex {
    return this.#log.firstIndex
  }

  get lastIndex(): LogIndex {
    return this.#log.lastIndex
  }

  get last(): EntryId {
    return this.#log.last
  }

  get commitIndex(): LogIndex {
    return this.#log.commitIndex
  }

  get lastApplied(): LogIndex {
    return this.#log.lastApplied
  }

  get submittedIndex(): LogIndex {
    return this.#log.submittedIndex
  }

  get flushedIndex(): LogIndex {
    return this.#log.flushedIndex
  }

  get weight(): number {
    return this.#log.weight
  }

  membershipAt(index: LogIndex): Membership {
    return this.#log.membershipAt(index)
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#log.termAt(index)
  }

  /** The last entry whose term is at most `term`; the base when there is none in the log. */
  lastIndexOfTermUpTo(term: Term): LogIndex {
    return this.#log.lastIndexOfTermUpTo(term)
  }

  has(entry: EntryId): boolean {
    return this.#log.has(entry)
  }

  weightAfter(index: LogIndex): number {
    return this.#log.weightAfter(index)
  }

  /** Copies of the runs, which share their bytes with the log. */
  slice(from: LogIndex, to: LogIndex, bytesMax: number): LogRun[] {
    return this.#log.slice(from, to, bytesMax).map((run) => ({ ...run }))
  }
}

class LeadershipView {
  readonly #leadership: Leadership
  readonly #views = new WeakMap<Progress, ProgressView>()

  constructor(leadership: Leadership) {
    this.#leadership = leadership
    Object.freeze(this)
  }

  /** The progress of each other member as of now: members come and go while a leader leads. */
  get progress(): ReadonlyMap<NodeId, ProgressView> {
    return new Map([...this.#leadership.progress].map(([id, one]) => [id, this.#viewOf(one)]))
  }

  /** The progress of one other member. */
  progressOf(id: NodeId): ProgressView | undefined {
    const progress = this.#leadership.progress.get(id)
    return progress && this.#viewOf(progress)
  }

  get heartbeatRound(): number {
    return this.#leadership.heartbeatRound
  }

  get sentRounds(): readonly SentRound[] {
    return this.#leadership.sentRounds.map((round) => ({ ...round }))
  }

  get transfer(): Readonly<Transfer> | undefined {
    return copyOf(this.#leadership.transfer)
  }

  get isLeaseGivenUp(): boolean {
    return this.#leadership.isLeaseGivenUp
  }

  get waitingReads(): readonly number[] {
    return [...this.#leadership.waitingReads]
  }

  get waitingQuestions(): readonly ReadQuestion[] {
    return [...this.#leadership.waitingQuestions]
  }

  #viewOf(progress: Progress): ProgressView {
    const view = this.#views.get(progress) ?? new ProgressView(progress)
    this.#views.set(progress, view)
    return view
  }
}

class ProgressView {
  readonly #progress: Progress

  constructor(progress: Progress) {
    this.#progress = progress
    Object.freeze(this)
  }

  get state(): ProgressState {
    return this.#progress.state
  }

  get matchIndex(): LogIndex {
    return this.#progress.matchIndex
  }

  get nextIndex(): LogIndex {
    return this.#progress.nextIndex
  }

  get isProbeSent(): boolean {
    return this.#progress.isProbeSent
  }

  get isRecentlyActive(): boolean {
    return this.#progress.isRecentlyActive
  }

  get ackedRound(): number {
    return this.#progress.ackedRound
  }

  get hasMoved(): boolean {
    return this.#progress.hasMoved
  }

  get snapshot(): Snapshot | undefined {
    return this.#progress.snapshot
  }

  get snapshotOffset(): number {
    return this.#progress.snapshotOffset
  }

  get isChunkSent(): boolean {
    return this.#progress.isChunkSent
  }

  get inflightMessages(): number {
    return this.#progress.inflightMessages
  }

  get inflightBytes(): number {
    return this.#progress.inflightBytes
  }
}
