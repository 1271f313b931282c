/** Keys in the order of their bytes, and spans of them. */
import type { KeySpan } from './record.js'

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

export function isWithin(key: string, { key: from, rangeEnd }: KeySpan): boolean {
  if (rangeEnd === undefined || rangeEnd === '') return key === from
  return compareKeys(key, from) >= 0 && (rangeEnd === noEnd || compareKeys(key, rangeEnd) < 0)
}

/** The keys of the span among those of the sorted list. */
export function* keysWithin(sorted: readonly string[], span: KeySpan): Generator<string> {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareKeys(sorted[middle]!, span.key) < 0) low = middle + 1
    else high = middle
  }
  for (; low < sorted.length && isWithin(sorted[low]!, span); low++) yield sorted[low]!
}
