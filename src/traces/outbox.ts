/** Spans on their way out: bounded, in batches, one batch at a time. A collector that is slow or away costs spans. */
import { reasonOf } from '../errors/index.js'
import type { Span } from './span.js'

/** A file or a collector that takes spans. */
export interface Sink {
  /** Rejects when it could not take them. */
  send(spans: readonly Span[]): Promise<void>
  close(): Promise<void>
}

export const waitingSpansMax = 32_768
const batchSpans = 2048

export class Outbox {
  sent = 0
  dropped = 0
  readonly #sink: Sink
  readonly #warn: (line: string) => void
  #waiting: Span[] = []
  #sending: Promise<void> | undefined
  /** Spans of the batch that is on its way. */
  #leaving = 0
  #isFailing = false
  #isOverflowTold = false
  #isClosed = false

  /** `warn` is told the first of the failures in a row, and the first overflow: a slow sink takes batches between overflows. */
  constructor(sink: Sink, warn: (line: string) => void) {
    this.#sink = sink
    this.#warn = warn
  }

  /** All spans of a trace find room, or none. */
  add(spans: readonly Span[]): void {
    if (this.#waiting.length + spans.length > waitingSpansMax) return this.#overflow(spans.length)
    for (const span of spans) this.#waiting.push(span)
    this.#sending ??= this.#sendAll()
  }

  /** Resolves once all has left, or was dropped. After `withinMs`, what is left is dropped. */
  async close(withinMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs)
    })
    await Promise.race([this.#sending, late])
    const left = this.#waiting.length + this.#leaving
    if (left > 0) this.#fail(left, 'they were not taken in time')
    this.#isClosed = true
    await Promise.race([this.#sink.close(), late])
    clearTimeout(timer)
  }

  async #sendAll(): Promise<void> {
    // Spans that are added within one turn leave together.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const batch = this.#waiting.slice(0, batchSpans)
      this.#waiting = this.#waiting.slice(batchSpans)
      await this.#send(batch)
    }
    this.#sending = undefined
  }

  async #send(batch: readonly Span[]): Promise<void> {
    this.#leaving = batch.length
    let why: string | undefined
    try {
      await this.#sink.send(batch)
    } catch (error) {
      why = reasonOf(error)
    }
    if (this.#isClosed) return
    this.#leaving = 0
    if (why !== undefined) return this.#fail(batch.length, why)
    this.sent += batch.length
    this.#isFailing = false
  }

  #overflow(spans: number): void {
    this.#drop(spans, this.#isOverflowTold, 'they come faster than they can be sent')
    this.#isOverflowTold = true
  }

  #fail(spans: number, why: string): void {
    this.#drop(spans, this.#isFailing, why)
    this.#isFailing = true
  }

  #drop(spans: number, isTold: boolean, why: string): void {
    this.dropped += spans
    if (!isTold) this.#warn(`traces are dropped, and counted: ${why}`)
  }
}
