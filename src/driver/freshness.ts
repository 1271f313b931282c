/**
 * How far a node's state may lie behind, for stale reads [RQ9]. A node asks for a readIndex. Once it has applied that index,
 * its state holds all that was committed anywhere when it asked, so the age counts from the question, by the node's own
 * clock. A leader that holds its lease and has applied all that is committed is up to date now. A node asks once an
 * election timeout, and once a heartbeat interval while it is read from [RQ10].
 */
import type { LogIndex, Raft, ReadState } from '../raft/index.js'
import type { Clock } from './clock.js'

/** The node's own read. Requests of clients are counted from 1. */
const ownRead = 0

export class Freshness {
  readonly #raft: Raft
  readonly #clock: Clock
  readonly #tickMs: number
  /** All that was committed anywhere before this moment is in the state. */
  #upToDateAtMs = Number.NEGATIVE_INFINITY
  #askedAtMs = Number.NEGATIVE_INFINITY
  /** The question that is open until its readIndex, which is not known at first, is applied. */
  #asked: { readonly atMs: number; readIndex: LogIndex | undefined } | undefined

  constructor(raft: Raft, clock: Clock, tickMs: number) {
    this.#raft = raft
    this.#clock = clock
    this.#tickMs = tickMs
  }

  /** A tick has passed. A single stale read is told an age of little more than an election timeout. */
  ticked(): void {
    this.#ask('electionTimeoutTicks')
  }

  /** A read came to this node. The reads after it are told an age of little more than a heartbeat interval. */
  wanted(): void {
    this.#ask('heartbeatTicks')
  }

  confirmed({ ids, readIndex }: ReadState): void {
    if (this.#asked === undefined || !ids.includes(ownRead)) return
    if (readIndex === undefined) this.#asked = undefined
    else this.#asked.readIndex = readIndex
  }

  /** Milliseconds since the moment of which this node knows that it was up to date; infinite: it knows of none. */
  ageMs(): number {
    const nowMs = this.#clock.now()
    const { log, currentTerm } = this.#raft.state
    this.#takeAnswer()
    const isAllApplied = log.lastApplied === log.commitIndex && log.termAt(log.commitIndex) === currentTerm
    if (isAllApplied && this.#raft.holdsLease(nowMs / this.#tickMs)) this.#upToDateAtMs = nowMs
    return nowMs - this.#upToDateAtMs
  }

  #ask(gap: 'electionTimeoutTicks' | 'heartbeatTicks'): void {
    this.#takeAnswer()
    const nowMs = this.#clock.now()
    const gapMs = this.#raft.state.limits[gap] * this.#tickMs
    if (this.#asked !== undefined || nowMs - this.#askedAtMs < gapMs) return
    // The protocol refuses the question if no leader is known or too many reads wait. The next tick then asks again.
    if (this.#raft.step({ type: 'read', id: ownRead, isServedHere: true }) !== undefined) return
    this.#asked = { atMs: nowMs, readIndex: undefined }
    this.#askedAtMs = nowMs
  }

  /** Ends the open question if its readIndex is applied. */
  #takeAnswer(): void {
    const { atMs, readIndex } = this.#asked ?? {}
    if (atMs === undefined || readIndex === undefined) return
    if (this.#raft.state.log.lastApplied < readIndex) return
    this.#upToDateAtMs = atMs
    this.#asked = undefined
  }
}
