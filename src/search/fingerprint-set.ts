/**
 * A set of fingerprints of 64 bits in shared memory. Threads add to it without locks: the first half of a fingerprint
 * claims its place, and whoever finds that half waits for the second.
 */

/** Of all places so many are used at most, so that a free place is never far. */
const fullShare = 0.75

export class FingerprintSet {
  readonly #places: Int32Array
  readonly #mask: number

  /** `memory`: two integers of 32 bits a place; how many places is a power of two. */
  constructor(memory: ArrayBufferLike) {
    this.#places = new Int32Array(memory)
    this.#mask = this.#places.length / 2 - 1
  }

  /** Bytes of a set for so many fingerprints. */
  static bytesFor(fingerprints: number): number {
    return 8 * 2 ** Math.ceil(Math.log2(Math.max(2 ** 14, fingerprints / fullShare)))
  }

  /** Adds a fingerprint; false when the set has it already. */
  add(low: number, high: number): boolean {
    const places = this.#places
    // As the memory holds them: whole numbers of 32 bits. 0 is a free place.
    const first = low | 0 || 1
    const second = high | 0 || 1
    for (let place = (first ^ (second << 7)) & this.#mask; ; place = (place + 1) & this.#mask) {
      const at = 2 * place
      const found = Atomics.load(places, at) || Atomics.compareExchange(places, at, 0, first)
      if (found === 0) {
        Atomics.store(places, at + 1, second)
        return true
      }
      if (found === first && this.#secondAt(at + 1) === second) return false
    }
  }

  /** Calls `visit` with each fingerprint. No other thread may add meanwhile. */
  forEach(visit: (low: number, high: number) => void): void {
    const places = this.#places
    for (let at = 0; at < places.length; at += 2) {
      const first = places[at] ?? 0
      if (first !== 0) visit(first, places[at + 1] ?? 0)
    }
  }

  /** Another thread that claimed the place is about to store the second half. */
  #secondAt(at: number): number {
    for (;;) {
      const second = Atomics.load(this.#places, at)
      if (second !== 0) return second
    }
  }
}
