/**
 * How far one node has come, looked at in memory that it shares. The node is never asked: it is looked at in the turns in
 * which answers of the cluster arrive, and by timers that grow rarer as long as nothing moves.
 */
import type { CountersRead } from '../cluster/index.js'

/** Milliseconds from one look to the next while somebody waits: the first, doubled each time, and the longest. */
const firstLookMs = 1
const lastLookMs = 25

interface Waiting {
  readonly index: number
  readonly resolve: () => void
}

export class Progress {
  readonly #counters: CountersRead
  readonly #listeners = new Set<() => void>()
  #waiting: Waiting[] = []
  #lastApplied = 0
  #leaderId = 0
  #timer: NodeJS.Timeout | undefined
  #delayMs = firstLookMs
  #isClosed = false

  constructor(counters: CountersRead) {
    this.#counters = counters
  }

  /** Resolves once the node has applied `index`, once `signal` is aborted, or when nobody will look any more. */
  async applied(index: number, signal?: AbortSignal): Promise<void> {
    if (this.#counters.get('lastApplied') >= index || signal?.aborted === true || this.#isClosed) return
    await new Promise<void>((resolve) => {
      const waiting: Waiting = { index, resolve }
      this.#waiting.push(waiting)
      signal?.addEventListener('abort', () => this.#letGo(waiting), { once: true })
      this.#lookSoon()
    })
  }

  onProgress(listener: () => void): () => void {
    this.#listeners.add(listener)
    this.#lookSoon()
    return () => void this.#listeners.delete(listener)
  }

  /** Answers have arrived: something moves. */
  look(): void {
    if (this.#waiting.length === 0 && this.#listeners.size === 0) return
    this.#see()
    this.#lookSoon()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const { resolve } of this.#waiting) resolve()
    this.#waiting = []
    this.#listeners.clear()
  }

  /** Something is likely to move now: the next looks follow each other closely. */
  #lookSoon(): void {
    if (this.#isClosed || (this.#timer !== undefined && this.#delayMs === firstLookMs)) return
    clearTimeout(this.#timer)
    this.#delayMs = firstLookMs
    this.#timer = setTimeout(() => this.#lookAgain(), firstLookMs)
  }

  #lookAgain(): void {
    this.#timer = undefined
    const hasMoved = this.#see()
    if (this.#isClosed || (this.#waiting.length === 0 && this.#listeners.size === 0)) return
    if (this.#timer !== undefined) return
    this.#delayMs = hasMoved ? firstLookMs : Math.min(2 * this.#delayMs, lastLookMs)
    this.#timer = setTimeout(() => this.#lookAgain(), this.#delayMs)
  }

  /** Tells those who wait what has moved since the last look. */
  #see(): boolean {
    const lastApplied = this.#counters.get('lastApplied')
    const leaderId = this.#counters.get('leaderId')
    if (lastApplied === this.#lastApplied && leaderId === this.#leaderId) return false
    this.#lastApplied = lastApplied
    this.#leaderId = leaderId
    const reached = this.#waiting.filter(({ index }) => index <= lastApplied)
    if (reached.length > 0) this.#waiting = this.#waiting.filter(({ index }) => index > lastApplied)
    for (const { resolve } of reached) resolve()
    for (const listener of this.#listeners) listener()
    return true
  }

  #letGo(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((each) => each !== waiting)
    waiting.resolve()
  }
}
