/**
 * Keys that are drawn once, with dice, and then come again in their order. They lie side by side in that order, so
 * that the processor has the next ones before they are asked for: a table of ten thousand keys lies in no cache, and
 * to look one up there would take longer than to read its value.
 */
import { Buffer } from 'node:buffer'

/** So many keys are drawn. */
export const keysDrawn = 1 << 20

/** The keys of YCSB have up to 23 bytes; they are copied a word at a time. */
const slotBytes = 24
const slotWords = slotBytes / Int32Array.BYTES_PER_ELEMENT

/** Each answer is gone with the next call: whoever needs it longer copies it. */
export function repeatedKeys(draw: () => string): () => Uint8Array {
  const slots = Buffer.alloc(keysDrawn * slotBytes)
  const words = new Int32Array(slots.buffer, slots.byteOffset, keysDrawn * slotWords)
  const lengths = new Uint8Array(keysDrawn)
  const present = new Int32Array(slotWords)
  // One view a length, made beforehand.
  const views = Array.from(
    { length: slotBytes + 1 },
    (_, length) => new Uint8Array(present.buffer, 0, length),
  )
  let drawn = 0
  let at = -1
  return () => {
    at = at + 1 === keysDrawn ? 0 : at + 1
    if (at === drawn && drawn < keysDrawn) {
      lengths[at] = slots.write(draw(), at * slotBytes, slotBytes, 'latin1')
      drawn++
    }
    const first = at * slotWords
    for (let word = 0; word < slotWords; word++) present[word] = words[first + word]!
    return views[lengths[at]!]!
  }
}
