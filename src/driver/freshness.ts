/**
 * How far a node's state may lie behind, for reads that do not wait. A node knows that it was up to date when it asked for a
 * readIndex, once it has applied that index; the time is that of its own clock. A leader that holds its lease and has
 * applied all that is committed is up to date now. A node asks at least once an election timeout, and a heartbeat after
 * it asked last while it is read from.
 */
import type { LogIndex, Raft, ReadState } from '../raft/index.js'
import type { Clock } from './clock.js'

/** The node's own read. Requests of clients are counted from 1. */
const ownRead = 0

export class Freshness {
  readonly #raft: Raft
  readonly #clock: Clock
  readonly #tickMs: number
  /** All that was committed anywhere by then is in the state. */
  #upToDateAtMs = Number.NEGATIVE_INFINITY
  #askedAtMs = Number.NEGATIVE_INFINITY
  /** The question that is open until its readIndex, which is not known at first, is applied. */
  #asked: { readonly atMs: number; readIndex: LogIndex | undefined } | undefined

  constructor(raft: Raft, clock: Clock, tickMs: number) {
    this.#raft = raft
    this.#clock = clock
    this.#tickMs = tickMs
  }

  /** A tick has passed: a read that comes alone is told an age of little more than an election timeout. */
  ticked(): void {
    this.#ask('electionTimeoutTicks')
  }

  /** A read came to this node: the next reads are told an age of little more than a heartbeat. */
  wanted(): void {
    this.#ask('heartbeatTicks')
  }

  confirmed({ ids, readIndex }: ReadState): void {
    if (this.#asked === undefined || !ids.includes(ownRead)) return
    if (readIndex === undefined) this.#asked = undefined
    else this.#asked.readIndex = readIndex
  }

  /** Milliseconds since this node knew that it was up to date; infinite: it never did since it started. */
  ageMs(): number {
    const nowMs = this.#clock.now()
    const { log, currentTerm } = this.#raft.state
    this.#look()
    const isAllApplied = log.lastApplied === log.commitIndex && log.termAt(log.commitIndex) === currentTerm
    if (isAllApplied && this.#raft.holdsLease(nowMs / this.#tickMs)) this.#upToDateAtMs = nowMs
    return nowMs - this.#upToDateAtMs
  }

  #ask(gap: 'electionTimeoutTicks' | 'heartbeatTicks'): void {
    this.#look()
    const nowMs = this.#clock.now()
    const gapMs = this.#raft.state.limits[gap] * this.#tickMs
    if (this.#asked !== undefined || nowMs - this.#askedAtMs < gapMs) return
    // Refused where no leader is known, or too many reads wait: then the next tick tries again.
    if (this.#raft.step({ type: 'read', id: ownRead, isServedHere: true }) !== undefined) return
    this.#asked = { atMs: nowMs, readIndex: undefined }
    this.#askedAtMs = nowMs
  }

  #look(): void {
    const { atMs, readIndex } = this.#asked ?? {}
    if (atMs === undefined || readIndex === undefined) return
    if (this.#raft.state.log.lastApplied < readIndex) return
    this.#upToDateAtMs = atMs
    this.#asked = undefined
  }
}
