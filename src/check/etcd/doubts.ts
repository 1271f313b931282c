/** Calls of unknown outcome, by the keys that they may have changed. */
import { spansWritten } from './effects.js'
import { isWide, isWithin } from './keys.js'
import type { Known } from './known.js'
import { type EtcdCall, type EtcdRecord, isCall, type KeySpan } from './record.js'

export interface Doubt {
  readonly call: EtcdCall
  readonly at: number
}

export class Doubts {
  readonly #known: Known
  readonly #keys = new Set<string>()
  readonly #ofKey = new Map<string, Doubt[]>()
  /** Those that may change more than single keys. */
  readonly #wide: Doubt[] = []

  constructor(known: Known) {
    this.#known = known
  }

  hear(record: EtcdRecord, at: number): void {
    if (isCall(record) && record.outcome === 'unknown') this.#add({ call: record, at })
  }

  /** The keys that they name, single ones. */
  keys(): Iterable<string> {
    return this.#keys
  }

  /** Those that may have changed the key in the revision, by what was known when they were called. */
  of(key: string, revision: number): Doubt[] {
    return [...(this.#ofKey.get(key) ?? []), ...this.#wide].filter(
      ({ call }) =>
        this.#known.mayFollow(revision, call.call) && spansWritten(call).some((span) => isWithin(key, span)),
    )
  }

  #add(doubt: Doubt): void {
    const spans = spansWritten(doubt.call)
    for (const span of spans) if (!isWide(span)) this.#keys.add(span.key)
    if (spans.some(isWide)) this.#wide.push(doubt)
    else
      for (const key of new Set(spans.map((span) => span.key))) {
        const known = this.#ofKey.get(key) ?? []
        this.#ofKey.set(key, known)
        known.push(doubt)
      }
  }

  /** Those that may have changed a key of the span. */
  within(span: KeySpan): Doubt[] {
    const single = isWide(span)
      ? [...this.#ofKey].flatMap(([key, doubts]) => (isWithin(key, span) ? doubts : []))
      : (this.#ofKey.get(span.key) ?? [])
    return [...single, ...this.#wide]
  }
}
