/**
 * The log's time as a leader's node tells it. The time goes on from what the log said last, by this node's clock: it needs
 * no date, and stands still while nobody leads. Only the clock is read here; the machine knows nothing but the log.
 */
import { clockFrame, type SessionMachine } from '../machine/index.js'
import type { Frame } from '../raft/index.js'
import type { Clock } from './clock.js'

/** The time is told so many times in the shortest timeout of a session or of the state machine. */
const tellingsInTimeout = 60

export class LogTime {
  readonly #clock: Clock
  readonly #machine: SessionMachine
  readonly #propose: (frame: Frame) => boolean
  /** The log's time and the clock when the time was told last, or the lead began; `undefined` while nobody needs it. */
  #told: { readonly timeMs: number; readonly atMs: number } | undefined

  /** `propose` answers whether the frame was taken. */
  constructor(clock: Clock, machine: SessionMachine, propose: (frame: Frame) => boolean) {
    this.#clock = clock
    this.#machine = machine
    this.#propose = propose
  }

  /** Tells the time when this node leads, somebody waits for it and it is due. */
  tick(isLeader: boolean): void {
    const gapMs = isLeader ? this.#machine.leastTimeoutMs / tellingsInTimeout : Number.POSITIVE_INFINITY
    if (gapMs === Number.POSITIVE_INFINITY) {
      this.#told = undefined
      return
    }
    const nowMs = this.#clock.now()
    this.#told ??= { timeMs: this.#machine.timeMs, atMs: nowMs }
    const { timeMs, atMs } = this.#told
    // A single telling at a time: where entries come faster than they are committed, the log would only grow.
    if (nowMs - atMs < gapMs || this.#machine.timeMs < timeMs) return
    // Whole milliseconds, and what is left counts next time: the log's time never runs ahead of the clock.
    const passedMs = Math.floor(nowMs - atMs)
    const next = { timeMs: timeMs + passedMs, atMs: atMs + passedMs }
    if (this.#propose(clockFrame(next.timeMs))) this.#told = next
  }
}
