/** Configurations that a search has been in: rows of a fixed number of words in one typed array, found by hash. */

/** Bytes that all searches of a check share. */
export class Memory {
  readonly #bytes: number
  #bytesLeft: number

  constructor(bytes: number) {
    this.#bytes = bytes
    this.#bytesLeft = bytes
  }

  /** Whether no search holds any of it. */
  get isUnused(): boolean {
    return this.#bytesLeft === this.#bytes
  }

  /** False, and nothing is taken, when so much is not left. */
  take(bytes: number): boolean {
    if (bytes > this.#bytesLeft) return false
    this.#bytesLeft -= bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#bytesLeft += bytes
  }
}

const rowsAtFirst = 16

export class ConfigurationSet {
  readonly #memory: Memory
  readonly #width: number
  #rows: Int32Array
  /** By hash, with linear probing: the number of a row, counted from 1, or 0. It is never more than half full. */
  #places: Int32Array
  #count = 0

  /** `width`: the words of each row. A set that has no memory from the start is full. */
  constructor(width: number, memory: Memory) {
    this.#memory = memory
    this.#width = width
    const hasRoom = memory.take(bytesOf(rowsAtFirst, width))
    this.#rows = new Int32Array(hasRoom ? rowsAtFirst * width : 0)
    this.#places = new Int32Array(hasRoom ? 2 * rowsAtFirst : 0)
  }

  /** `known`: the row was there. `full`: it was not, and there is no memory for it. */
  add(row: Int32Array): 'added' | 'known' | 'full' {
    if ((this.#count + 1) * 2 > this.#places.length && !this.#grow()) return 'full'
    const mask = this.#places.length - 1
    let place = hashOf(row) & mask
    for (let at = this.#places[place]!; at !== 0; at = this.#places[place]!) {
      if (this.#isSame(at - 1, row)) return 'known'
      place = (place + 1) & mask
    }
    this.#rows.set(row, this.#count * this.#width)
    this.#places[place] = ++this.#count
    return 'added'
  }

  /** Gives its memory back. The set is not used any more. */
  release(): void {
    this.#memory.giveBack(bytesOf(this.#places.length / 2, this.#width))
    this.#rows = new Int32Array(0)
    this.#places = new Int32Array(0)
  }

  #isSame(at: number, row: Int32Array): boolean {
    const start = at * this.#width
    for (let word = 0; word < this.#width; word++) {
      if (this.#rows[start + word] !== row[word]) return false
    }
    return true
  }

  #grow(): boolean {
    const rows = this.#places.length / 2
    // The memory of the smaller arrays is free only after the larger ones are there.
    if (rows === 0 || !this.#memory.take(bytesOf(2 * rows, this.#width))) return false
    const before = this.#rows
    this.#rows = new Int32Array(2 * rows * this.#width)
    this.#rows.set(before)
    this.#places = new Int32Array(4 * rows)
    const mask = this.#places.length - 1
    for (let at = 0; at < this.#count; at++) {
      let place = hashOf(this.#rows.subarray(at * this.#width, (at + 1) * this.#width)) & mask
      while (this.#places[place] !== 0) place = (place + 1) & mask
      this.#places[place] = at + 1
    }
    this.#memory.giveBack(bytesOf(rows, this.#width))
    return true
  }
}

function bytesOf(rows: number, width: number): number {
  return 4 * rows * (width + 2)
}

/** FNV-1a over words, with the high bits mixed into the low ones at the end. */
function hashOf(row: Int32Array): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < row.length; at++) {
    hash = Math.imul(hash ^ row[at]!, 0x01000193)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
