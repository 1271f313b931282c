/** How often a client may ask whether its connection lives: etcd's defaults, which a client that asks too often finds out. */

/** The least milliseconds from one ping to the next: while there are calls, and while there is none. */
const besideCallsMs = 5000
const idleMs = 2 * 60 * 60 * 1000
/** Pings that come too early and are still answered. */
const earlyMax = 2

export class PingLimit {
  #lastMs = Number.NEGATIVE_INFINITY
  #early = 0
  #isForgiven = false

  /** The client was sent an answer: a client asks about its window behind it. */
  forgive(): void {
    this.#isForgiven = true
  }

  /** Whether a ping that comes now is to be answered. */
  allows(hasCalls: boolean, nowMs = performance.now()): boolean {
    const isEarly = nowMs - this.#lastMs < (hasCalls ? besideCallsMs : idleMs)
    if (this.#isForgiven) this.#early = 0
    else if (isEarly) this.#early++
    this.#isForgiven = false
    this.#lastMs = nowMs
    return this.#early <= earlyMax
  }
}
