/**
 * The keys in the order of their bytes: blocks of keys' numbers, sorted within a block and from block to block. A block
 * counts its keys that exist, and knows when that changed last, so that keys are counted without a look at each of them.
 */
import type { Memory } from '../machine/index.js'
import { assert } from '../raft/index.js'

const blockLength = 512

class Block {
  readonly numbers = new Int32Array(blockLength)
  count = 0
  /** Keys that exist. */
  live = 0
  /** No key of the block was made or deleted at a later revision. */
  changed = 0
  /**
   * A text that is not above the first key, and above the last key of the block before. Texts have one character a byte,
   * and they are short: a search among them is much faster than one among keys.
   */
  readonly start: string

  constructor(start: string) {
    this.start = start
  }
}

/** Where bytes stand. */
export interface Place {
  readonly memory: Memory
  readonly start: number
  readonly length: number
}

/** A range of keys in the memory of a request. */
export interface Bounds extends Place {
  /** Where the range ends, excluded. Of no bytes: behind all keys. */
  readonly end: number
  readonly endLength: number
}

/** The keys, as the order sees them. Numbers stand for keys here. */
export interface OrderedKeys {
  /** Compares a key to the one at `start`: below 0, 0 or above 0. */
  compare(number: number, memory: Memory, start: number, length: number): number
  placeOf(number: number): Place
  exists(number: number): boolean
  /** The revision at which the key was made or deleted last. */
  changedAt(number: number): number
}

export class KeyOrder {
  readonly #keys: OrderedKeys
  /** Invariant: no block is empty, except for the only block of an empty store. */
  readonly #blocks = [new Block('')]
  /** The place where the last search ended: the sought key, or the first one above it. */
  #block = 0
  #at = 0

  constructor(keys: OrderedKeys) {
    this.#keys = keys
  }

  /** How many keys exist. */
  get live(): number {
    return this.#blocks.reduce((sum, { live }) => sum + live, 0)
  }

  /** The number of a key; 0 when it is not here. */
  find({ memory, start, length }: Place): number {
    this.#search(memory, start, length)
    const { numbers, count } = this.#blocks[this.#block]!
    if (this.#at === count) return 0
    const number = numbers[this.#at]!
    return this.#keys.compare(number, memory, start, length) === 0 ? number : 0
  }

  /** Adds a key, which was made or deleted at a revision. */
  add(number: number, key: Place, isLive: boolean, revision: number): void {
    this.#search(key.memory, key.start, key.length)
    if (this.#blocks[this.#block]!.count === blockLength) {
      this.#splitBlock(number)
      // A key between the two halves belongs to the upper one if it is not below the text with which that one starts.
      this.#search(key.memory, key.start, key.length)
    }
    const block = this.#blocks[this.#block]!
    block.numbers.copyWithin(this.#at + 1, this.#at, block.count)
    block.numbers[this.#at] = number
    block.count++
    block.live += Number(isLive)
    block.changed = revision
  }

  /** Adds a key behind all others. False: the key is not above them. */
  append(number: number): boolean {
    const last = this.#blocks.at(-1)!
    if (last.count > 0) {
      const before = last.numbers[last.count - 1]!
      const { memory, start, length } = this.#keys.placeOf(before)
      if (this.#keys.compare(number, memory, start, length) <= 0) return false
      if (last.count === blockLength) this.#blocks.push(this.#blockBetween(before, number))
    }
    const block = this.#blocks.at(-1)!
    block.numbers[block.count++] = number
    block.live += Number(this.#keys.exists(number))
    block.changed = Math.max(block.changed, this.#keys.changedAt(number))
    return true
  }

  /** Notes that a key of the order was made (1) or deleted (−1) at a revision. */
  changeLive(number: number, change: 1 | -1, revision: number): void {
    this.#moveTo(number)
    const block = this.#blocks[this.#block]!
    block.live += change
    block.changed = revision
  }

  /** Removes a key, which does not exist. */
  remove(number: number): void {
    this.#moveTo(number)
    const block = this.#blocks[this.#block]!
    block.numbers.copyWithin(this.#at, this.#at + 1, block.count)
    block.count--
    this.#mergeWithNext(block.count === 0 && this.#block > 0 ? this.#block - 1 : this.#block)
  }

  /** The rank of a key of the order. Ranks are ordered like the keys, and hold until a key is added or removed. */
  rankOf(number: number): number {
    this.#moveTo(number)
    return this.#block * blockLength + this.#at
  }

  /** The key that has a rank. */
  atRank(rank: number): number {
    return this.#blocks[Math.floor(rank / blockLength)]!.numbers[rank % blockLength]!
  }

  /** Visits keys in order, until `visit` answers false. */
  visit(bounds: Bounds, visit: (number: number) => boolean): void {
    const { memory, start, length, end, endLength } = bounds
    const endText = textAt(memory, end, endLength)
    this.#search(memory, start, length)
    let at = this.#at
    for (let position = this.#block; position < this.#blocks.length; position++) {
      const { numbers, count } = this.#blocks[position]!
      const isBelowEnd = this.#isBelow(position, endText)
      for (; at < count; at++) {
        const number = numbers[at]!
        if (!isBelowEnd && this.#keys.compare(number, memory, end, endLength) >= 0) return
        if (!visit(number)) return
      }
      at = 0
    }
  }

  /** Counts the keys that exist at a revision. `isLiveAt` tells it of the keys of which a block can't. */
  countLive(bounds: Bounds, revision: number, isLiveAt: (number: number) => boolean): number {
    const { memory, start, length, end, endLength } = bounds
    const endText = textAt(memory, end, endLength)
    this.#search(memory, start, length)
    let at = this.#at
    let sum = 0
    for (let position = this.#block; position < this.#blocks.length; position++) {
      const { numbers, count, live, changed } = this.#blocks[position]!
      const isBelowEnd = this.#isBelow(position, endText)
      if (isBelowEnd && at === 0 && changed <= revision) {
        sum += live
        continue
      }
      for (; at < count; at++) {
        if (!isBelowEnd && this.#keys.compare(numbers[at]!, memory, end, endLength) >= 0) return sum
        if (isLiveAt(numbers[at]!)) sum++
      }
      at = 0
    }
    return sum
  }

  /** Whether all keys of a block are below the end of a range: surely, or perhaps not. */
  #isBelow(position: number, endText: string): boolean {
    if (endText === '') return true
    const next = this.#blocks[position + 1]
    return next !== undefined && next.start <= endText
  }

  /** Moves to a key of the order. */
  #moveTo(number: number): void {
    if (this.#isNear(number)) return
    const { memory, start, length } = this.#keys.placeOf(number)
    this.#block = this.#blockOf(textAt(memory, start, length))
    const { numbers, count } = this.#blocks[this.#block]!
    this.#at = numbers.indexOf(number)
    assert(this.#at >= 0 && this.#at < count, 'a key has its place in the order')
  }

  /** Moves to a key that stands at the present place or next to it, since many keys are deleted one behind the other. */
  #isNear(number: number): boolean {
    const block = this.#blocks[this.#block]
    if (block === undefined) return false
    const { numbers, count } = block
    if (this.#at < count && numbers[this.#at] === number) return true
    if (this.#at + 1 < count && numbers[this.#at + 1] === number) {
      this.#at++
      return true
    }
    const next = this.#blocks[this.#block + 1]
    if (next?.numbers[0] !== number) return false
    this.#block++
    this.#at = 0
    return true
  }

  #search(memory: Memory, start: number, length: number): void {
    this.#block = this.#blockOf(textAt(memory, start, length))
    const { numbers, count } = this.#blocks[this.#block]!
    let from = 0
    let to = count
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.#keys.compare(numbers[middle]!, memory, start, length) < 0) from = middle + 1
      else to = middle
    }
    this.#at = from
  }

  /** The position of the block that a key belongs to. */
  #blockOf(text: string): number {
    const blocks = this.#blocks
    // The last block that does not start above the sought key.
    let low = 0
    let high = blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (blocks[middle]!.start > text) high = middle - 1
      else low = middle
    }
    return low
  }

  /** Splits the block where the search for a new key ended. */
  #splitBlock(number: number): void {
    const lower = this.#blocks[this.#block]!
    // Keys often come in order: a split behind the last key leaves the earlier block full.
    const isLast = this.#block === this.#blocks.length - 1 && this.#at === blockLength
    const from = isLast ? blockLength : blockLength / 2
    const first = isLast ? number : lower.numbers[from]!
    const upper = this.#blockBetween(lower.numbers[from - 1]!, first)
    this.#moveKeys(lower, from, upper)
    this.#blocks.splice(this.#block + 1, 0, upper)
  }

  /** A block for keys from `first` on, behind a block that ends with `before`. */
  #blockBetween(before: number, first: number): Block {
    const below = this.#keys.placeOf(before)
    const { memory, start, length } = this.#keys.placeOf(first)
    // The shortest text that is above the one and not above the other.
    let shared = 0
    while (
      shared < below.length &&
      below.memory.bytes[below.start + shared] === memory.bytes[start + shared]
    ) {
      shared++
    }
    return new Block(textAt(memory, start, Math.min(length, shared + 1)))
  }

  /** Moves the keys from position `from` on to the end of another block. */
  #moveKeys(block: Block, from: number, into: Block): void {
    const moved = block.numbers.subarray(from, block.count)
    into.numbers.set(moved, into.count)
    into.count += moved.length
    let live = 0
    for (const number of moved) if (this.#keys.exists(number)) live++
    into.live += live
    block.live -= live
    into.changed = Math.max(into.changed, block.changed)
    block.count = from
  }

  /** Merges two neighbours when one of them is empty, or when together they fill at most half a block. */
  #mergeWithNext(position: number): void {
    const block = this.#blocks[position]!
    const next = this.#blocks[position + 1]
    if (next === undefined) return
    if (block.count > 0 && next.count > 0 && block.count + next.count > blockLength / 2) return
    this.#moveKeys(next, 0, block)
    this.#blocks.splice(position + 1, 1)
  }
}

/** Bytes as a text with one character a byte: texts are ordered like their bytes. */
export function textAt({ bytes }: Memory, start: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1')
}
