/**
 * Finds a record by its key: a hash table of typed arrays, open addressing with linear probing. It grows by
 * segments (extendible hashing): the upper bits of a hash choose the segment, and a segment that is half
 * full is split in two. So a table of millions is never rebuilt as a whole, which would stall the node.
 *
 * The hash has no seed, so that equal commands take equal time and memory on every node and in the simulator. An
 * attacker can therefore choose keys that collide. Such keys cannot slow the table down: a probe goes no further than
 * `probesMax`. A record without a free slot within that distance is homeless, and is found by the sorted keys.
 */

import type { Memory } from './memory.js'

/** Slots of a segment. A slot is a hash and a reference; the reference of an empty slot is 0. */
const slots = 4096
const wordsMask = 2 * slots - 1
/** A segment with this many records is split: linear probing stays short while at most half the slots are taken. */
const splitCount = slots / 2
/** Two halves of a split are merged again when they hold this few records together. */
const mergeCount = slots / 8
/**
 * While half the slots are taken, fewer than one cluster in 10^10 is this long, unless the keys were chosen to collide.
 */
const probesMax = 128
/** Keys whose records are fetched at a time. */
export const fetchedMax = 64
/** 2^18 segments hold 500 million keys. Keys that were chosen to share a segment do not split it any further. */
const depthMax = 18

/** A hash of 32 bits with its sign. Words are mixed in one by one, and the result is stirred (as murmur3 does). */
export function hashKey(memory: Memory, start: number, length: number): number {
  const { view } = memory
  let hash = length
  let offset = 0
  for (; offset + 4 <= length; offset += 4) hash = mixed(hash, view.getInt32(start + offset, true))
  for (; offset < length; offset++) hash = mixed(hash, view.getUint8(start + offset))
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1)
  return product ^ (product >>> 15)
}

class Segment {
  /** How many upper bits all its hashes share. */
  readonly depth: number
  readonly words = new Int32Array(2 * slots)
  count = 0

  constructor(depth: number) {
    this.depth = depth
  }

  /**
   * Answers false when no slot near enough is free. One slot of a segment always stays empty, so that every walk ends.
   */
  add(hash: number, ref: number): boolean {
    const { words } = this
    if (this.count === slots - 1) return false
    let at = homeOf(hash)
    for (let probes = 0; probes < probesMax; probes++) {
      if (words[at + 1] === 0) {
        words[at] = hash
        words[at + 1] = ref
        this.count++
        return true
      }
      at = (at + 2) & wordsMask
    }
    return false
  }

  /** The slot of the record; -1 when the record is homeless. */
  find(hash: number, ref: number): number {
    let at = homeOf(hash)
    for (let probes = 0; probes < probesMax; probes++) {
      const found = this.words[at + 1]
      if (found === ref) return at
      if (found === 0) return -1
      at = (at + 2) & wordsMask
    }
    return -1
  }

  /** Moves the records behind the hole forward, so that no walk to them ends at the hole. */
  removeAt(hole: number): void {
    const { words } = this
    let empty = hole
    for (let at = (hole + 2) & wordsMask; words[at + 1] !== 0; at = (at + 2) & wordsMask) {
      const hash = words[at]!
      const distance = (at - homeOf(hash)) & wordsMask
      if (distance < ((at - empty) & wordsMask)) continue
      words[empty] = hash
      words[empty + 1] = words[at + 1]!
      empty = at
    }
    words[empty + 1] = 0
    this.count--
  }
}

function homeOf(hash: number): number {
  return (hash << 1) & wordsMask
}

/** Questions of the index to the records that it finds. */
export interface IndexedRecords {
  /** Whether a record is that of a key. */
  isOf(ref: number, memory: Memory, start: number, length: number): boolean
  /**
   * Brings a record into the processor's caches. The sum of all answers must be used. Only the records of an index whose
   * owner calls `fetch` need it.
   */
  touch?(ref: number): number
}

export class KvIndex {
  readonly #records: IndexedRecords
  /**
   * A segment for each value of the `#depth` upper bits. A segment whose hashes share fewer bits stands here several
   * times.
   */
  #segments: Segment[] = [new Segment(0)]
  #depth = 0
  #homeless = 0
  readonly #fetched = new Int32Array(fetchedMax)

  constructor(records: IndexedRecords) {
    this.#records = records
  }

  /** How many records are homeless: the sorted keys find them. */
  get homeless(): number {
    return this.#homeless
  }

  /** Lets a test see that the table shrinks as well. */
  get segmentCount(): number {
    return new Set(this.#segments).size
  }

  /**
   * Reads the memory that `find` will read for each of `count` keys, `fetchedMax` at most. Since the last run the
   * processor's caches have been filled with other things, so `find` alone would wait for memory once a record. In a
   * loop as short as this one the processor runs ahead, and waits for many records at once.
   */
  fetch(hashes: Int32Array, count: number): void {
    const refs = this.#fetched
    for (let at = 0; at < count; at++) {
      const hash = hashes[at]!
      const { words } = this.#segments[this.#numberOf(hash)]!
      refs[at] = words[homeOf(hash) + 1]!
    }
    // The sum is kept: otherwise the compiler would leave out a read whose value nothing needs.
    for (let at = 0; at < count; at++) refs[at] = this.#records.touch!(refs[at]!)
  }

  /** The record of a key. 0 when the key is absent or its record homeless. */
  find(hash: number, memory: Memory, start: number, length: number): number {
    const { words } = this.#segments[this.#numberOf(hash)]!
    let at = homeOf(hash)
    for (let probes = 0; probes < probesMax; probes++) {
      const ref = words[at + 1]!
      if (ref === 0) return 0
      if (words[at] === hash && this.#records.isOf(ref, memory, start, length)) return ref
      at = (at + 2) & wordsMask
    }
    return 0
  }

  /** The shift is made in two steps, since JavaScript takes a shift by 32 bits for a shift by 0. */
  #numberOf(hash: number): number {
    return (hash >>> 1) >>> (31 - this.#depth)
  }

  add(hash: number, ref: number): void {
    let segment = this.#segments[this.#numberOf(hash)]!
    while (segment.count >= splitCount && segment.depth < depthMax) {
      this.#split(segment, hash)
      segment = this.#segments[this.#numberOf(hash)]!
    }
    if (!segment.add(hash, ref)) this.#homeless++
  }

  /** Notes that the record moved to another slot of memory. */
  replace(hash: number, ref: number, by: number): void {
    const segment = this.#segments[this.#numberOf(hash)]!
    const at = segment.find(hash, ref)
    if (at >= 0) segment.words[at + 1] = by
  }

  remove(hash: number, ref: number): void {
    const segment = this.#segments[this.#numberOf(hash)]!
    const at = segment.find(hash, ref)
    if (at < 0) {
      this.#homeless--
      return
    }
    segment.removeAt(at)
    if (segment.count < mergeCount && segment.depth > 0) this.#mergeWithOther(segment, hash)
  }

  #split(segment: Segment, hash: number): void {
    if (segment.depth === this.#depth) {
      this.#segments = this.#segments.flatMap((each) => [each, each])
      this.#depth++
    }
    const halves = [new Segment(segment.depth + 1), new Segment(segment.depth + 1)] as const
    const { words } = segment
    for (let at = 0; at < words.length; at += 2) {
      if (words[at + 1] === 0) continue
      const bit = (words[at]! >>> (31 - segment.depth)) & 1
      if (!halves[bit as 0 | 1].add(words[at]!, words[at + 1]!)) this.#homeless++
    }
    const span = 1 << (this.#depth - segment.depth)
    const first = this.#numberOf(hash) & -span
    this.#segments.fill(halves[0], first, first + span / 2)
    this.#segments.fill(halves[1], first + span / 2, first + span)
  }

  #mergeWithOther(segment: Segment, hash: number): void {
    const span = 1 << (this.#depth - segment.depth)
    const first = this.#numberOf(hash) & -span
    const other = this.#segments[first ^ span]!
    if (other.depth !== segment.depth || other.count >= mergeCount) return
    const merged = new Segment(segment.depth - 1)
    for (const { words } of [segment, other]) {
      for (let at = 0; at < words.length; at += 2) {
        if (words[at + 1] !== 0 && !merged.add(words[at]!, words[at + 1]!)) this.#homeless++
      }
    }
    const start = first & ~span
    this.#segments.fill(merged, start, start + 2 * span)
  }
}
