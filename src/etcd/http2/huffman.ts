/**
 * The Huffman code of HTTP/2's headers (RFC 7541, appendix B). The code is canonical: symbols of one length have codes
 * that follow each other, in the order of the symbols, so that the lengths tell the whole code.
 */

// biome-ignore format: one row for sixteen symbols
const lengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  // The end of a text, which no text may hold.
  30,
]
const endSymbol = 256
const longest = 30
/** Ones that fill the last byte: fewer than a whole one. */
const paddingMax = 7

/** Two numbers a node, for the bits 0 and 1: the next node, or the symbol below zero (`~symbol`). */
const tree = treeOf(lengths)

function treeOf(lengths: readonly number[]): Int16Array {
  const nodes: number[] = [0, 0]
  let code = 0
  for (let length = 1; length <= longest; length++, code *= 2) {
    for (const [symbol, of] of lengths.entries()) {
      if (of === length) place(nodes, code++, length, symbol)
    }
  }
  return Int16Array.from(nodes)
}

function place(nodes: number[], code: number, length: number, symbol: number): void {
  let node = 0
  for (let bit = length - 1; bit > 0; bit--) {
    const at = 2 * node + ((code >>> bit) & 1)
    if (nodes[at] === 0) {
      nodes[at] = nodes.length / 2
      nodes.push(0, 0)
    }
    node = nodes[at]!
  }
  nodes[2 * node + (code & 1)] = ~symbol
}

const decoded = Buffer.alloc(64 << 10)

/** `undefined`: the bytes are no text of the code, or a longer one than any header may be. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | undefined {
  let length = 0
  let node = 0
  /** Bits since the last symbol, and whether all of them are ones. */
  let bits = 0
  let areOnes = true
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    for (let shift = 7; shift >= 0; shift--) {
      const bit = (byte >>> shift) & 1
      const next = tree[2 * node + bit]!
      bits++
      areOnes &&= bit === 1
      if (next >= 0) {
        node = next
        continue
      }
      if (~next === endSymbol || length === decoded.length) return undefined
      decoded[length++] = ~next
      node = 0
      bits = 0
      areOnes = true
    }
  }
  return bits <= paddingMax && areOnes ? decoded.toString('latin1', 0, length) : undefined
}
