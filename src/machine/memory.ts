/**
 * Bytes on which the KV works. Short ranges are copied and compared in words: the call of a built-in costs more than
 * the loop, and needs a subarray, which is garbage. The caller has checked that each range lies within the bytes.
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

/** A range of at least this many bytes is copied faster by a built-in than by a loop. */
const longBytes = 160

/** Copies a range. The two ranges must not overlap. */
export function copyRange(into: Memory, at: number, from: Memory, start: number, length: number): void {
  if (length >= longBytes) return into.bytes.set(from.bytes.subarray(start, start + length), at)
  const target = into.view
  const source = from.view
  let offset = 0
  // Each round copies four words, since V8 checks the views anew in each round and at each change from reading to
  // writing.
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

/**
 * Compares two ranges by their bytes: below 0, 0, or above 0. A range is below every longer range that begins with it.
 */
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
  // Words that are read as big-endian are ordered like their bytes.
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
