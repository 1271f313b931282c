/**
 * The keys in the order of their bytes: blocks of keys' numbers, sorted within a block and from block to block. A block
 * counts its keys that exist, and knows its newest revision, so that keys are counted without a look at each of them.
 */
import { compareRanges, type Memory } from '../machine/index.js'
import { assert } from '../raft/index.js'
import { bodyOf, type Records, type Ref } from './records.js'

const blockLength = 512

class Block {
  readonly numbers = new Int32Array(blockLength)
  count = 0
  /** Keys whose newest record is a put. */
  live = 0
  /** No record of these keys has a later revision. */
  newest = 0
}

/** A range of keys in the memory of a request. */
export interface Bounds {
  readonly memory: Memory
  readonly start: number
  readonly length: number
  /** Where the range ends, excluded. Of no bytes: behind all keys. */
  readonly end: number
  readonly endLength: number
}

export class Keys {
  readonly #records: Records
  /** Each key's newest record, by the key's number. There is no key 0. */
  #heads = new Int32Array(1024)
  #count = 0
  readonly #freeNumbers: number[] = []
  #numbers = 1
  /** Invariant: no block is empty, except for the only block of an empty store. */
  readonly #blocks = [new Block()]
  /** The place where the last search ended: the first key that is not below the sought key. */
  #block = 0
  #at = 0

  constructor(records: Records) {
    this.#records = records
  }

  /** Keys that have a record, deleted ones among them. */
  get count(): number {
    return this.#count
  }

  /** Keys that exist. */
  get live(): number {
    return this.#blocks.reduce((sum, { live }) => sum + live, 0)
  }

  headOf(number: number): Ref {
    return this.#heads[number]!
  }

  /** Tells where the newest record of a key lies, after it was moved. */
  moveHead(number: number, head: Ref): void {
    this.#heads[number] = head
  }

  /** The number of a key; 0 when it has no record. */
  find(memory: Memory, start: number, length: number): number {
    this.#search(memory, start, length)
    const block = this.#blocks[this.#block]!
    if (this.#at === block.count) return 0
    const number = block.numbers[this.#at]!
    return this.#compare(number, memory, start, length) === 0 ? number : 0
  }

  /** Takes a number for the key that `find` just did not find. `setHead` must follow. */
  add(): number {
    const number = this.#freeNumbers.pop() ?? this.#numbers++
    if (number >= this.#heads.length) {
      const heads = new Int32Array(2 * this.#heads.length)
      heads.set(this.#heads)
      this.#heads = heads
    }
    this.#insert(number)
    this.#count++
    return number
  }

  /** Sets the newest record of the key that `find` or `add` just gave. */
  setHead(number: number, head: Ref, wasLive: boolean, isLive: boolean, revision: number): void {
    this.#heads[number] = head
    const block = this.#blocks[this.#block]!
    block.live += Number(isLive) - Number(wasLive)
    block.newest = revision
  }

  /** Removes a key whose newest record, a delete, is to be dropped. */
  remove(number: number): void {
    const head = this.#heads[number]!
    const memory = this.#records.memoryOf(head)
    const found = this.find(memory, keyStart(memory, bodyOf(head)), keyLength(memory, bodyOf(head)))
    assert(found === number, 'a key that is removed has its place in the order')
    const block = this.#blocks[this.#block]!
    block.numbers.copyWithin(this.#at, this.#at + 1, block.count)
    block.count--
    this.#mergeWithNext(block.count === 0 && this.#block > 0 ? this.#block - 1 : this.#block)
    this.#heads[number] = 0
    this.#freeNumbers.push(number)
    this.#count--
  }

  /** Visits keys in order, until `visit` answers false. */
  visit(bounds: Bounds, visit: (number: number) => boolean): void {
    const { memory, start, length, end, endLength } = bounds
    this.#search(memory, start, length)
    let at = this.#at
    for (let position = this.#block; position < this.#blocks.length; position++) {
      const { numbers, count } = this.#blocks[position]!
      const isBelowEnd = this.#endsBelow(position, bounds)
      for (; at < count; at++) {
        const number = numbers[at]!
        if (!isBelowEnd && this.#compare(number, memory, end, endLength) >= 0) return
        if (!visit(number)) return
      }
      at = 0
    }
  }

  /** Counts the keys that exist at a revision, which `isLiveAt` tells of a key where the block can't. */
  countLive(bounds: Bounds, revision: number, isLiveAt: (number: number) => boolean): number {
    const { memory, start, length, end, endLength } = bounds
    this.#search(memory, start, length)
    let at = this.#at
    let sum = 0
    for (let position = this.#block; position < this.#blocks.length; position++) {
      const { numbers, count, live, newest } = this.#blocks[position]!
      const isBelowEnd = this.#endsBelow(position, bounds)
      if (isBelowEnd && at === 0 && newest <= revision) {
        sum += live
        continue
      }
      for (; at < count; at++) {
        if (!isBelowEnd && this.#compare(numbers[at]!, memory, end, endLength) >= 0) return sum
        if (isLiveAt(numbers[at]!)) sum++
      }
      at = 0
    }
    return sum
  }

  #endsBelow(position: number, { memory, end, endLength }: Bounds): boolean {
    if (endLength === 0) return true
    const { numbers, count } = this.#blocks[position]!
    return count > 0 && this.#compare(numbers[count - 1]!, memory, end, endLength) < 0
  }

  /** Compares a key to the one at `start`: below 0, 0 or above 0. */
  #compare(number: number, memory: Memory, start: number, length: number): number {
    const head = this.#heads[number]!
    const own = this.#records.memoryOf(head)
    const body = bodyOf(head)
    return compareRanges(own, keyStart(own, body), keyLength(own, body), memory, start, length)
  }

  #search(memory: Memory, start: number, length: number): void {
    const blocks = this.#blocks
    // The last block whose first key is not above the sought key, or the first block when there is none.
    let low = 0
    let high = blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#compare(blocks[middle]!.numbers[0]!, memory, start, length) > 0) high = middle - 1
      else low = middle
    }
    this.#block = low
    const { numbers, count } = blocks[low]!
    let from = 0
    let to = count
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.#compare(numbers[middle]!, memory, start, length) < 0) from = middle + 1
      else to = middle
    }
    this.#at = from
  }

  #insert(number: number): void {
    if (this.#blocks[this.#block]!.count === blockLength) this.#splitBlock()
    const block = this.#blocks[this.#block]!
    block.numbers.copyWithin(this.#at + 1, this.#at, block.count)
    block.numbers[this.#at] = number
    block.count++
  }

  /** Splits the block where the search ended, and moves the end of the search to the half that holds it. */
  #splitBlock(): void {
    const lower = this.#blocks[this.#block]!
    const upper = new Block()
    // Keys often come in order: a split behind the last key leaves the earlier block full.
    const isLast = this.#block === this.#blocks.length - 1 && this.#at === blockLength
    this.#moveKeys(lower, isLast ? blockLength : blockLength / 2, upper)
    this.#blocks.splice(this.#block + 1, 0, upper)
    if (this.#at <= lower.count && !isLast) return
    this.#block++
    this.#at -= lower.count
  }

  /** Moves the keys from position `from` on to the end of another block. */
  #moveKeys(block: Block, from: number, into: Block): void {
    const moved = block.numbers.subarray(from, block.count)
    into.numbers.set(moved, into.count)
    into.count += moved.length
    let live = 0
    for (const number of moved) if (!this.#records.isDelete(this.#heads[number]!)) live++
    into.live += live
    block.live -= live
    into.newest = Math.max(into.newest, block.newest)
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

// A KeyValue begins with its key: one byte of tag, the length as a varint of 32 bits at most, the bytes.

export function keyStart({ bytes }: Memory, body: number): number {
  let at = body + 1
  while (bytes[at]! >= 0x80) at++
  return at + 1
}

export function keyLength({ bytes }: Memory, body: number): number {
  let length = 0
  for (let at = body + 1, shift = 0; ; at++, shift += 7) {
    length |= (bytes[at]! & 0x7f) << shift
    if (bytes[at]! < 0x80) return length
  }
}
