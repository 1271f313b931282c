/** Time by which a thread may judge that others are late. */

/** A standstill counts as no more than this. */
const standstillMsMax = 100

/**
 * Milliseconds in which this thread ran. Under a debugger, after a SIGSTOP or in a long computation a thread stands
 * still: answers lie in its ports, and after a SIGSTOP nobody else had the time to answer. A reader of this time asks
 * for it more often than every 100 ms, since it counts no more from one look to the next.
 */
export class RunningTime {
  #ranMs = 0
  /** When it was last asked for, by `performance.now`. */
  askedAtMs = performance.now()

  now(): number {
    const nowMs = performance.now()
    this.#ranMs += Math.min(nowMs - this.askedAtMs, standstillMsMax)
    this.askedAtMs = nowMs
    return this.#ranMs
  }
}
