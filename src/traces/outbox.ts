/** Spans on their way out: bounded, in batches, one batch at a time. A collector that is slow or away costs spans. */
import { reasonOf } from '../errors/index.js'
import type { Span } from './span.js'

/** Where spans go. */
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
  #isFailing = false

  /** `warn` is told the first of the failures in a row. */
  constructor(sink: Sink, warn: (line: string) => void) {
    this.#sink = sink
    this.#warn = warn
  }

  /** All spans of a trace find room, or none. */
  add(spans: readonly Span[]): void {
    if (this.#waiting.length + spans.length > waitingSpansMax) {
      if (this.dropped === 0)
        this.#warn('traces come faster than they can be sent: some are dropped, and counted')
      this.dropped += spans.length
      return
    }
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
    clearTimeout(timer)
    this.dropped += this.#waiting.length
    this.#waiting = []
    await Promise.race([this.#sink.close(), late])
  }

  async #sendAll(): Promise<void> {
    // What is added within a turn leaves together.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, batchSpans)
      this.#waiting = this.#waiting.slice(batchSpans)
      await this.#send(batch)
    }
    this.#sending = undefined
  }

  async #send(batch: readonly Span[]): Promise<void> {
    try {
      await this.#sink.send(batch)
      this.sent += batch.length
      this.#isFailing = false
    } catch (error) {
      this.dropped += batch.length
      if (!this.#isFailing) this.#warn(`traces are dropped, and counted: ${reasonOf(error)}`)
      this.#isFailing = true
    }
  }
}
