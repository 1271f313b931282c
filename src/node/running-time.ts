/** Time as a thread that waits for others may count it. */

/** A standstill counts as no more than this. */
const standstillMsMax = 100

/**
 * Milliseconds in which this thread ran. Under a debugger, after a SIGSTOP or in a long computation a thread stands
 * still: answers lie in its ports, and after a SIGSTOP nobody else had the time to answer. Whoever judges by this
 * time asks for it more often than every 100 ms.
 */
export class RunningTime {
  #ranMs = 0
  #askedAtMs = performance.now()

  now(): number {
    const nowMs = performance.now()
    this.#ranMs += Math.min(nowMs - this.#askedAtMs, standstillMsMax)
    this.#askedAtMs = nowMs
    return this.#ranMs
  }
}
