/**
 * A direction of a client's connection. Bytes keep their order. Bytes pass at once, when the delay of a fault is over, or
 * when the way opens again. Nothing is lost.
 */

/** Bytes that wait behind a delay before no more is taken. */
export const waitingBytesMax = 1 << 20

interface Waiting {
  readonly sentAtMs: number
  readonly delay: Delay | undefined
  /** By `performance.now`. */
  atMs: number
  readonly byteLength: number
  readonly act: () => void
}

/** By how many milliseconds the faults that still stand delay bytes that were sent under them. */
export type Delay = () => number

/** The delay of so many bytes, which leave now. `undefined`: no fault stands that delays. */
export type DelayOf = ((byteLength: number) => Delay) | undefined

export class Way {
  #isOpen = true
  #delayOf: DelayOf
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #timer: NodeJS.Timeout | undefined

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** False while more would only wait here. */
  get hasRoom(): boolean {
    return this.#isOpen && this.#waitingBytes < waitingBytesMax
  }

  /** True while bytes are delayed one beside the other, so that more of them can follow at once. */
  get isDelayed(): boolean {
    return this.#delayOf !== undefined && this.hasRoom
  }

  pass(byteLength: number, act: () => void): void {
    const sentAtMs = performance.now()
    const delay = this.#delayOf?.(byteLength)
    const delayMs = delay?.() ?? 0
    if (this.#isOpen && this.#waiting.length === 0 && delayMs === 0) return act()
    const atMs = Math.max(sentAtMs + delayMs, this.#waiting.at(-1)?.atMs ?? 0)
    this.#waiting.push({ sentAtMs, delay, atMs, byteLength, act })
    this.#waitingBytes += byteLength
    this.#passDue()
  }

  /** Bytes that were delayed pass as soon as the faults that are left let them. */
  set(isOpen: boolean, delayOf: DelayOf): void {
    this.#isOpen = isOpen
    this.#delayOf = delayOf
    let latestMs = 0
    for (const waiting of this.#waiting) {
      latestMs = Math.max(latestMs, waiting.sentAtMs + (waiting.delay?.() ?? 0))
      waiting.atMs = latestMs
    }
    this.#passDue()
  }

  /** Nothing passes any more. */
  close(): void {
    clearTimeout(this.#timer)
    this.#isOpen = false
    this.#waiting = []
  }

  #passDue(): void {
    clearTimeout(this.#timer)
    for (;;) {
      const [first] = this.#waiting
      if (first === undefined || !this.#isOpen) return
      const leftMs = first.atMs - performance.now()
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#passDue(), leftMs)
        return
      }
      this.#waiting.shift()
      this.#waitingBytes -= first.byteLength
      first.act()
    }
  }
}
