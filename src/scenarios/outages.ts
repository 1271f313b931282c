/** Outages as clients saw them: the times without an acknowledged write while load ran. */

export interface Outage {
  readonly fromMs: number
  readonly forMs: number
}

export class Outages {
  /** Shorter times are the rhythm of the load, and count for nothing in the sum. */
  readonly #countedFromMs: number
  #lastMs: number | undefined
  #longest: Outage = { fromMs: 0, forMs: 0 }
  #totalMs = 0

  constructor(countedFromMs: number) {
    this.#countedFromMs = countedFromMs
  }

  /** Load begins to run. */
  begin(nowMs: number): void {
    this.#lastMs ??= nowMs
  }

  acknowledged(nowMs: number): void {
    this.#gap(nowMs)
    if (this.#lastMs !== undefined) this.#lastMs = nowMs
  }

  /** Load runs no more. */
  end(nowMs: number): void {
    this.#gap(nowMs)
    this.#lastMs = undefined
  }

  /** Forgets all that was before. */
  restart(nowMs: number): void {
    this.#lastMs = nowMs
    this.#longest = { fromMs: nowMs, forMs: 0 }
    this.#totalMs = 0
  }

  get longest(): Outage {
    return this.#longest
  }

  /** The longest time by now, one that still goes on included. */
  longestAt(nowMs: number): Outage {
    if (this.#lastMs === undefined || nowMs - this.#lastMs <= this.#longest.forMs) return this.#longest
    return { fromMs: this.#lastMs, forMs: nowMs - this.#lastMs }
  }

  /** All times of at least the length that counts. */
  get totalMs(): number {
    return this.#totalMs
  }

  #gap(nowMs: number): void {
    if (this.#lastMs === undefined) return
    const forMs = nowMs - this.#lastMs
    if (forMs > this.#longest.forMs) this.#longest = { fromMs: this.#lastMs, forMs }
    if (forMs >= this.#countedFromMs) this.#totalMs += forMs
  }
}
