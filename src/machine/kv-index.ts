/**
 * Finds a record by its key: a hash table of typed arrays, open addressing with linear probing. It grows by
 * segments (extendible hashing): the upper bits of a hash choose the segment, and a segment that is half
 * full is split in two, so that a table of millions never stands still to be built anew.
 *
 * The hash has no seed: equal commands shall take equal time and memory on every node and in the simulator,
 * and whoever reads this file can make keys that collide anyway. Instead nothing probes further than
 * `probesMax`: a record that finds no room so near is homeless, and whoever looks for it asks the sorted keys.
 */

import { keyLengthAt, keyOffset } from './kv-entry.js'
import { offsetOfRef, type Slabs } from './kv-slabs.js'
import { isEqualRange, type Memory } from './memory.js'

/** Slots of a segment; each is a hash and a reference, 0 while it is empty. */
const slots = 4096
const wordsMask = 2 * slots - 1
/** A segment that holds so many is split: linear probing stays short up to a half. */
const splitCount = slots / 2
/** Two halves of a split are put together again when they hold so few. */
const mergeCount = slots / 8
/** At a half, fewer than one cluster in 10^10 is that long, unless someone chose the keys. */
const probesMax = 128
/** Keys that are fetched at a time. */
export const fetchedMax = 64
/** 2^18 segments hold 500 million keys; keys that were chosen to share a segment make no more either. */
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

  /** Answers false when there is no room near enough. One slot always stays empty, so that every walk ends. */
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

  /** Where the record stands; -1 when it is homeless. */
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

  /** Moves those behind the hole forward, so that no walk to them ends there. */
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

export class KvIndex {
  readonly #slabs: Slabs
  /** One for each value of the `#depth` upper bits; segments that share fewer stand there several times. */
  #segments: Segment[] = [new Segment(0)]
  #depth = 0
  #homeless = 0
  readonly #fetched = new Int32Array(fetchedMax)

  constructor(slabs: Slabs) {
    this.#slabs = slabs
  }

  /** How many records are not found here, but by the order of their keys. */
  get homeless(): number {
    return this.#homeless
  }

  /** For a test to see that it shrinks as well. */
  get segmentCount(): number {
    return new Set(this.#segments).size
  }

  /**
   * Reads what `find` will read for each of `count` keys, `fetchedMax` at most. A record lies in no cache when its
   * command comes, after all that the processor did since the last run: `find` would wait for each alone, and in
   * loops as short as these it runs ahead and waits for many at once.
   */
  fetch(hashes: Int32Array, count: number): void {
    const refs = this.#fetched
    for (let at = 0; at < count; at++) {
      const hash = hashes[at]!
      const { words } = this.#segments[this.#numberOf(hash)]!
      refs[at] = words[homeOf(hash) + 1]!
    }
    // Kept, or the compiler would find that nobody needs it.
    for (let at = 0; at < count; at++) refs[at] = this.#slabs.touch(refs[at]!)
  }

  /** The record of a key; 0 when there is none, or when it is homeless. */
  find(hash: number, memory: Memory, start: number, length: number): number {
    const { words } = this.#segments[this.#numberOf(hash)]!
    let at = homeOf(hash)
    for (let probes = 0; probes < probesMax; probes++) {
      const ref = words[at + 1]!
      if (ref === 0) return 0
      if (words[at] === hash && this.#isOf(ref, memory, start, length)) return ref
      at = (at + 2) & wordsMask
    }
    return 0
  }

  #isOf(ref: number, memory: Memory, start: number, length: number): boolean {
    const own = this.#slabs.memoryOf(ref)
    const at = offsetOfRef(ref)
    return keyLengthAt(own, at) === length && isEqualRange(own, at + keyOffset, memory, start, length)
  }

  /** In two steps, since a shift by 32 bits would be none. */
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

  /** The record moved. */
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
