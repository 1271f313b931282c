/**
 * The keys in the order of their bytes: blocks of records' numbers, sorted within a block and from block to block, so
 * that a key is found by binary search. Only the creation and deletion of keys change this order. The blocks hold
 * numbers and not references, so a record that moves in memory keeps its place here.
 */
import { assert } from '../raft/index.js'
import { keyLengthAt, keyOffset } from './kv-entry.js'
import type { Places } from './kv-places.js'
import { offsetOfRef, type Slabs } from './kv-slabs.js'
import { compareRanges, type Memory } from './memory.js'

const blockLength = 512

class Block {
  readonly ids = new Int32Array(blockLength)
  count = 0

  insert(at: number, id: number): void {
    this.ids.copyWithin(at + 1, at, this.count)
    this.ids[at] = id
    this.count++
  }

  remove(at: number): void {
    this.ids.copyWithin(at, at + 1, this.count)
    this.count--
  }

  /** Appends the numbers of `other` from position `from` on. */
  append(other: Block, from: number): void {
    this.ids.set(other.ids.subarray(from, other.count), this.count)
    this.count += other.count - from
    other.count = from
  }
}

export class KvOrder {
  readonly #slabs: Slabs
  readonly #places: Places
  /** Invariant: no block is empty, except for the only block of an empty state. */
  readonly #blocks = [new Block()]
  /** The place where the last search ended: the first key that is not below the sought key. */
  #block = 0
  #at = 0

  constructor(slabs: Slabs, places: Places) {
    this.#slabs = slabs
    this.#places = places
  }

  /** Compares the key of the record with this number to the key at `start`: below 0, 0 or above 0. */
  #compare(id: number, memory: Memory, start: number, length: number): number {
    const ref = this.#places.refOf(id)
    const own = this.#slabs.memoryOf(ref)
    const at = offsetOfRef(ref)
    return compareRanges(own, at + keyOffset, keyLengthAt(own, at), memory, start, length)
  }

  #search(memory: Memory, start: number, length: number): void {
    const blocks = this.#blocks
    // The last block whose first key is not above the sought key, or the first block when there is none.
    let low = 0
    let high = blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#compare(blocks[middle]!.ids[0]!, memory, start, length) > 0) high = middle - 1
      else low = middle
    }
    this.#block = low
    const { ids, count } = blocks[low]!
    let from = 0
    let to = count
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.#compare(ids[middle]!, memory, start, length) < 0) from = middle + 1
      else to = middle
    }
    this.#at = from
  }

  /** The record of a key; 0 when the key is absent. */
  find(memory: Memory, start: number, length: number): number {
    this.#search(memory, start, length)
    const block = this.#blocks[this.#block]!
    if (this.#at === block.count) return 0
    const id = block.ids[this.#at]!
    return this.#compare(id, memory, start, length) === 0 ? this.#places.refOf(id) : 0
  }

  /** Adds a record. Its key must be absent. */
  add(id: number, memory: Memory, start: number, length: number): void {
    const last = this.#blocks[this.#blocks.length - 1]!
    // Keys often come in order, those of a snapshot nearly always. A split behind the last key leaves the earlier
    // blocks full.
    if (last.count === 0 || this.#compare(last.ids[last.count - 1]!, memory, start, length) < 0) {
      this.#append(last, id)
      return
    }
    this.#search(memory, start, length)
    if (this.#blocks[this.#block]!.count === blockLength) this.#splitBlock()
    this.#blocks[this.#block]!.insert(this.#at, id)
  }

  #append(last: Block, id: number): void {
    const block = last.count < blockLength ? last : new Block()
    if (block !== last) this.#blocks.push(block)
    block.insert(block.count, id)
  }

  /** Splits the block where the search ended, and moves the end of the search to the half that holds it. */
  #splitBlock(): void {
    const lower = this.#blocks[this.#block]!
    const upper = new Block()
    upper.append(lower, blockLength / 2)
    this.#blocks.splice(this.#block + 1, 0, upper)
    if (this.#at <= lower.count) return
    this.#block++
    this.#at -= lower.count
  }

  /** Removes the record with this key. */
  remove(id: number, memory: Memory, start: number, length: number): void {
    this.#search(memory, start, length)
    const block = this.#blocks[this.#block]!
    assert(
      this.#at < block.count && block.ids[this.#at] === id,
      'a key that is deleted has its place in the order',
    )
    block.remove(this.#at)
    this.#mergeWithNext(block.count === 0 && this.#block > 0 ? this.#block - 1 : this.#block)
  }

  /** Merges two neighbours when one of them is empty, or when together they fill at most half a block. */
  #mergeWithNext(position: number): void {
    const block = this.#blocks[position]!
    const next = this.#blocks[position + 1]
    if (next === undefined) return
    if (block.count > 0 && next.count > 0 && block.count + next.count > blockLength / 2) return
    block.append(next, 0)
    this.#blocks.splice(position + 1, 1)
  }

  /** Visits records in order, from the first whose key is not below the given one, until `visit` answers false. */
  visit(memory: Memory, start: number, length: number, visit: (ref: number) => boolean): void {
    this.#search(memory, start, length)
    let at = this.#at
    for (let position = this.#block; position < this.#blocks.length; position++) {
      const { ids, count } = this.#blocks[position]!
      for (; at < count; at++) if (!visit(this.#places.refOf(ids[at]!))) return
      at = 0
    }
  }
}
