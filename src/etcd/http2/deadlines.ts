/** The deadlines of one connection's calls, under one timer, which is set for the earliest. */
import { longestTimerMs } from '../timeouts.js'
import type { Call } from './calls.js'

export class Deadlines {
  readonly #calls: ReadonlyMap<number, Call>
  readonly #expire: (call: Call) => void
  #timer: NodeJS.Timeout | undefined
  /** The time for which the timer is set, by `performance.now`. */
  #dueMs = Number.POSITIVE_INFINITY

  /** `expire` is called for each of the calls whose deadline has passed. */
  constructor(calls: ReadonlyMap<number, Call>, expire: (call: Call) => void) {
    this.#calls = calls
    this.#expire = expire
  }

  /** A call has this deadline. The deadline of a call that has ended wakes the timer once, for the calls after it. */
  add(deadlineMs: number): void {
    if (deadlineMs >= this.#dueMs) return
    clearTimeout(this.#timer)
    this.#dueMs = deadlineMs
    const delayMs = Math.ceil(deadlineMs - performance.now())
    this.#timer = setTimeout(() => this.#sweep(), Math.min(delayMs, longestTimerMs))
  }

  /** No call expires any more. */
  close(): void {
    clearTimeout(this.#timer)
    this.#dueMs = Number.NEGATIVE_INFINITY
  }

  #sweep(): void {
    this.#dueMs = Number.POSITIVE_INFINITY
    const nowMs = performance.now()
    let nextMs = Number.POSITIVE_INFINITY
    for (const call of this.#calls.values()) {
      if (call.deadlineMs <= nowMs) this.#expire(call)
      else if (call.deadlineMs < nextMs) nextMs = call.deadlineMs
    }
    this.add(nextMs)
  }
}
