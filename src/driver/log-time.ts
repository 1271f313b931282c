/**
 * The log's time as a leader's node tells it [LT1]. The time goes on from what the log told last, by the clock of the node
 * that leads. So it needs no date, and stands still while nobody leads. The state machine knows the time from the log alone.
 * A clock that is set ahead or back moves no time of the log: leases would end early, or not at all.
 */
import { clockFrame, type SessionMachine } from '../machine/index.js'
import type { Frame } from '../raft/index.js'
import type { Clock } from './clock.js'

/** The time is told so many times in the shortest timeout of a session or of the state machine, where ticks are as frequent. */
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
    const nowMs = this.#clock.steady()
    this.#told ??= { timeMs: this.#machine.timeMs, atMs: nowMs }
    const { timeMs, atMs } = this.#told
    // The next time waits until the last one is applied: where nothing is committed, times would only fill the log.
    if (nowMs - atMs < gapMs || this.#machine.timeMs < timeMs) return
    // The log has whole milliseconds. The rest counts next time, so the log's time never runs ahead of the clock.
    const passedMs = Math.floor(nowMs - atMs)
    const next = { timeMs: timeMs + passedMs, atMs: atMs + passedMs }
    if (this.#propose(clockFrame(next.timeMs))) this.#told = next
  }
}
