/** Keys in the order of their bytes, and spans of them. */
import type { KeySpan } from './record.js'
import { firstPlace } from './sorted.js'

/** The end of a span that has none. */
const noEnd = '\0'

/** As the UTF-8 bytes compare. UTF-16 has surrogates, which stand for the highest characters, below U+E000. */
export function compareKeys(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) {
    const difference = weightOf(one.charCodeAt(at)) - weightOf(other.charCodeAt(at))
    if (difference !== 0) return difference
  }
  return one.length - other.length
}

function weightOf(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit
}

/** Whether the span may have more than one key: it has an end. */
export function isWide(span: KeySpan): span is KeySpan & { readonly rangeEnd: string } {
  return span.rangeEnd !== undefined && span.rangeEnd !== ''
}

export function isWithin(key: string, span: KeySpan): boolean {
  if (!isWide(span)) return key === span.key
  return compareKeys(key, span.key) >= 0 && (span.rangeEnd === noEnd || compareKeys(key, span.rangeEnd) < 0)
}

/** Whether the outer span has all keys of the span. */
export function isSpanWithin(span: KeySpan, outer: KeySpan): boolean {
  if (!isWithin(span.key, outer)) return false
  if (!isWide(span) || outer.rangeEnd === noEnd) return true
  // The span ends where the outer one ends, or earlier.
  return span.rangeEnd !== noEnd && (span.rangeEnd === outer.rangeEnd || isWithin(span.rangeEnd, outer))
}

/** Whether the span has all keys that there may be. */
export function isEverything({ key, rangeEnd }: KeySpan): boolean {
  return rangeEnd === noEnd && compareKeys(key, noEnd) <= 0
}

/** The keys of the span among those of the sorted list. */
export function* keysWithin(sorted: readonly string[], span: KeySpan): Generator<string> {
  let at = firstPlace(sorted, (key) => compareKeys(key, span.key) >= 0)
  for (; at < sorted.length && isWithin(sorted[at]!, span); at++) yield sorted[at]!
}
