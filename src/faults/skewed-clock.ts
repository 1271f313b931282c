/** A clock as the skews that stand at its node make it. */
import type { StandingFault } from './fault.js'

export class SkewedClock {
  /** The true clock, in milliseconds. */
  readonly #trueNow: () => number
  #offsetMs = 0
  #drift = 0
  /** When the present drift began, by the true clock, and what drifts had gained until then. */
  #sinceMs = 0
  #gainedMs = 0
  #latestMs = Number.NEGATIVE_INFINITY

  constructor(trueNow: () => number) {
    this.#trueNow = trueNow
  }

  /** By how much of itself the clock is too fast. */
  get drift(): number {
    return this.#drift
  }

  /**
   * Takes all skews that stand at the node: offsets and drifts add up. Time that a drift gained stays when the drift is
   * healed.
   */
  set(standing: readonly StandingFault[]): void {
    const nowMs = this.#trueNow()
    this.#latestMs = this.now()
    this.#gainedMs += this.#drift * (nowMs - this.#sinceMs)
    this.#sinceMs = nowMs
    this.#offsetMs = 0
    this.#drift = 0
    for (const { fault } of standing) {
      if (fault.type !== 'skew') continue
      this.#offsetMs += fault.offsetMs
      this.#drift += fault.drift
    }
  }

  /** Milliseconds by this clock without the offsets: drifts alone move it. */
  steady(): number {
    const nowMs = this.#trueNow()
    return nowMs + this.#gainedMs + this.#drift * (nowMs - this.#sinceMs)
  }

  /** Milliseconds by this clock, which never falls: a clock that is set back stands still for as long. */
  now(): number {
    const skewedMs = this.steady() + this.#offsetMs
    if (skewedMs <= this.#latestMs) return this.#latestMs
    this.#latestMs = skewedMs
    return skewedMs
  }
}
