/**
 * Bytes on which the KV works: short ranges are copied and compared in words, since the call of a built-in
 * costs more than they do, and a subarray for it is garbage. Whoever calls has checked that ranges lie within.
 */

/** The same bytes twice: as an array, and as a view, which reads a word at any offset. */
export class Memory {
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** A view into these bytes. */
  take(start: number, end: number): Uint8Array {
    return this.bytes.subarray(start, end)
  }
}

/** From so many bytes on a built-in is quicker than a loop. */
const longBytes = 160

/** The ranges do not overlap. */
export function copyRange(into: Memory, at: number, from: Memory, start: number, length: number): void {
  if (length >= longBytes) return into.bytes.set(from.bytes.subarray(start, start + length), at)
  const target = into.view
  const source = from.view
  let offset = 0
  // Four words at a time: each round of a loop, and each change from reading to writing, is checked anew.
  for (; offset + 16 <= length; offset += 16) {
    const first = source.getInt32(start + offset, true)
    const second = source.getInt32(start + offset + 4, true)
    const third = source.getInt32(start + offset + 8, true)
    const fourth = source.getInt32(start + offset + 12, true)
    target.setInt32(at + offset, first, true)
    target.setInt32(at + offset + 4, second, true)
    target.setInt32(at + offset + 8, third, true)
    target.setInt32(at + offset + 12, fourth, true)
  }
  for (; offset + 4 <= length; offset += 4) {
    target.setInt32(at + offset, source.getInt32(start + offset, true), true)
  }
  for (; offset < length; offset++) target.setUint8(at + offset, source.getUint8(start + offset))
}

export function isEqualRange(a: Memory, startA: number, b: Memory, startB: number, length: number): boolean {
  let offset = 0
  for (; offset + 4 <= length; offset += 4) {
    if (a.view.getInt32(startA + offset, true) !== b.view.getInt32(startB + offset, true)) return false
  }
  for (; offset < length; offset++) {
    if (a.view.getUint8(startA + offset) !== b.view.getUint8(startB + offset)) return false
  }
  return true
}

/** Ordered like the bytes: below 0, 0, or above 0. A range that the other begins with stands before it. */
export function compareRanges(
  a: Memory,
  startA: number,
  lengthA: number,
  b: Memory,
  startB: number,
  lengthB: number,
): number {
  const length = Math.min(lengthA, lengthB)
  let offset = 0
  // Big-endian words are ordered like their bytes.
  for (; offset + 4 <= length; offset += 4) {
    const wordA = a.view.getUint32(startA + offset)
    const wordB = b.view.getUint32(startB + offset)
    if (wordA !== wordB) return wordA < wordB ? -1 : 1
  }
  for (; offset < length; offset++) {
    const difference = a.view.getUint8(startA + offset) - b.view.getUint8(startB + offset)
    if (difference !== 0) return difference
  }
  return lengthA - lengthB
}
