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
  /** By `performance.now`. */
  readonly deadlineMs: number
  /** True: the node has applied the index. */
  readonly resolve: (isApplied: boolean) => void
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
    if (this.hasApplied(index) || signal?.aborted === true) return
    let letGo: () => void = () => undefined
    await new Promise<unknown>((resolve) => {
      const waiting = this.#wait(index, Number.POSITIVE_INFINITY, resolve)
      letGo = () => this.#settle((each) => each === waiting, false)
      signal?.addEventListener('abort', letGo)
    })
    signal?.removeEventListener('abort', letGo)
  }

  /** Whether the node has applied `index` by then. */
  async appliedBy(index: number, deadlineMs: number): Promise<boolean> {
    return this.hasApplied(index) || new Promise((resolve) => this.#wait(index, deadlineMs, resolve))
  }

  onProgress(listener: () => void): () => void {
    this.#listeners.add(listener)
    this.#lookSoon()
    return () => void this.#listeners.delete(listener)
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0
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
    for (const { resolve } of this.#waiting) resolve(false)
    this.#waiting = []
    this.#listeners.clear()
  }

  hasApplied(index: number): boolean {
    return this.#counters.get('lastApplied') >= index
  }

  #wait(index: number, deadlineMs: number, resolve: Waiting['resolve']): Waiting {
    const waiting: Waiting = { index, deadlineMs, resolve }
    if (this.#isClosed) resolve(false)
    else this.#waiting.push(waiting)
    this.#lookSoon()
    return waiting
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
    this.#endLate()
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
    this.#settle(({ index }) => index <= lastApplied, true)
    for (const listener of this.#listeners) listener()
    return true
  }

  #endLate(): void {
    const nowMs = performance.now()
    this.#settle(({ deadlineMs }) => deadlineMs <= nowMs, false)
  }

  #settle(isOver: (waiting: Waiting) => boolean, isApplied: boolean): void {
    const over = this.#waiting.filter(isOver)
    if (over.length === 0) return
    this.#waiting = this.#waiting.filter((waiting) => !isOver(waiting))
    for (const { resolve } of over) resolve(isApplied)
  }
}
