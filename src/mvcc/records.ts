/**
 * The records of all revisions, in the order of the revisions: one for each put and each delete of a key. Records are
 * appended to segments and never change, but for the links to the key's other records.
 *
 *      0  u32  bytes of the message
 *      4  u32  number of the key
 *      8  u32  the key's earlier record, 0 for none
 *     12  u32  the key's later record, 0 for none
 *     16  u32  place within the revision · flags
 *     20  f64  revision
 *     28       KeyValue, as etcd stores it: that of a delete has the key only
 */
import { Memory } from '../machine/index.js'
import { assert } from '../raft/index.js'
import { type KeyValue, readKeyValue } from './key-value.js'

/** A record's place: the number of its segment, then units within. Never 0. Valid until a sweep moves or drops the record. */
export type Ref = number

const unitBits = 3
const offsetBits = 15
/** Bytes of a segment. A longer record has a segment of its own. */
export const segmentBytes = 1 << (unitBits + offsetBits)
const offsetMask = (1 << offsetBits) - 1
/** References are small integers: 31 bits. */
const segmentsMax = 1 << (31 - offsetBits)

const offsetOf = { length: 0, key: 4, earlier: 8, later: 12, place: 16, revision: 20 } as const
export const recordHeadBytes = 28
const deleteFlag = 0x8000_0000
const leaseFlag = 0x4000_0000
const placeMask = 0x3fff_ffff

/** The fields of a record beside its message. */
export interface RecordHead {
  readonly key: number
  readonly revision: number
  /** Place among the changes of the revision. */
  readonly place: number
  readonly isDelete: boolean
  readonly hasLease: boolean
}

export interface Segment {
  readonly memory: Memory
  /** Where the first record begins. */
  from: number
  used: number
  /** The last record. */
  last: Ref
}

const noSegment: Segment = { memory: new Memory(new Uint8Array(0)), from: 0, used: 0, last: 0 }

export class Records {
  /** By number. There is no segment 0. */
  readonly #segments: Segment[] = [noSegment]
  readonly #freeNumbers: number[] = []
  /** Numbers of segments in the order of their revisions. The last one is appended to. */
  readonly order: number[] = []
  count = 0
  /** Bytes of all records. */
  bytes = 0

  memoryOf(ref: Ref): Memory {
    return this.#segments[ref >>> offsetBits]!.memory
  }

  segment(number: number): Segment {
    return this.#segments[number]!
  }

  /** Makes room behind the last record; the caller writes the message from `bodyOf` on. */
  append(head: RecordHead, length: number, earlier: Ref): Ref {
    const size = sizeOf(length)
    const last = this.order.at(-1)
    const number =
      last !== undefined && this.#hasRoom(last, size) ? last : this.#begin(size, this.order.length)
    const ref = this.#take(number, size)
    const { view } = this.memoryOf(ref)
    const at = startOf(ref)
    view.setUint32(at + offsetOf.length, length, true)
    view.setUint32(at + offsetOf.key, head.key, true)
    view.setUint32(at + offsetOf.earlier, earlier, true)
    view.setUint32(at + offsetOf.later, 0, true)
    const flags = (head.isDelete ? deleteFlag : 0) | (head.hasLease ? leaseFlag : 0)
    view.setUint32(at + offsetOf.place, head.place | flags, true)
    view.setFloat64(at + offsetOf.revision, head.revision, true)
    if (earlier !== 0) this.setLater(earlier, ref)
    return ref
  }

  #begin(size: number, position: number): number {
    const number = this.#freeNumbers.pop() ?? this.#segments.length
    assert(number < segmentsMax, 'the store holds less than 16 GiB')
    const memory = new Memory(new Uint8Array(Math.max(size, segmentBytes)))
    this.#segments[number] = { memory, from: 0, used: 0, last: 0 }
    this.order.splice(position, 0, number)
    return number
  }

  /** Begins a segment that has room for a record, at a position of the order. */
  beginFor(ref: Ref, position: number): number {
    return this.#begin(sizeOf(this.lengthOf(ref)), position)
  }

  /** Copies a record to the end of another segment, and its neighbours' links follow. `undefined`: there is no room. */
  copyTo(number: number, ref: Ref): Ref | undefined {
    const size = sizeOf(this.lengthOf(ref))
    if (!this.#hasRoom(number, size)) return undefined
    const copy = this.#take(number, size)
    this.memoryOf(copy).bytes.set(
      this.memoryOf(ref).bytes.subarray(startOf(ref), startOf(ref) + size),
      startOf(copy),
    )
    if (this.earlierOf(ref) !== 0) this.setLater(this.earlierOf(ref), copy)
    if (this.laterOf(ref) !== 0) this.setEarlier(this.laterOf(ref), copy)
    return copy
  }

  /** Frees the segment at a position of the order, with all its records. */
  end(position: number): void {
    const [number] = this.order.splice(position, 1)
    this.#segments[number!] = noSegment
    this.#freeNumbers.push(number!)
  }

  /** Takes a record off the figures; the memory goes with its segment. */
  uncount(ref: Ref): void {
    this.count--
    this.bytes -= sizeOf(this.lengthOf(ref))
  }

  /** The references of a segment's records, in order. */
  *refsOf(number: number): Generator<Ref, void, undefined> {
    const { from, used } = this.segment(number)
    for (let at = from; at < used; ) {
      const ref = (number << offsetBits) | (at >>> unitBits)
      // The record may be overwritten before the next step.
      at += sizeOf(this.lengthOf(ref))
      yield ref
    }
  }

  /** Cuts off the records of a segment before `ref`. Each of them is dropped, or moved to another segment. */
  cutBefore(ref: Ref): void {
    this.segment(ref >>> offsetBits).from = startOf(ref)
  }

  isCut(number: number): boolean {
    return this.segment(number).from > 0
  }

  firstRevisionOf(number: number): number {
    return this.revisionOf((number << offsetBits) | (this.segment(number).from >>> unitBits))
  }

  /** The revision of a segment's last record. */
  lastRevisionOf(number: number): number {
    return this.revisionOf(this.segment(number).last)
  }

  lengthOf(ref: Ref): number {
    return this.memoryOf(ref).view.getUint32(startOf(ref) + offsetOf.length, true)
  }

  keyOf(ref: Ref): number {
    return this.memoryOf(ref).view.getUint32(startOf(ref) + offsetOf.key, true)
  }

  earlierOf(ref: Ref): Ref {
    return this.memoryOf(ref).view.getUint32(startOf(ref) + offsetOf.earlier, true)
  }

  laterOf(ref: Ref): Ref {
    return this.memoryOf(ref).view.getUint32(startOf(ref) + offsetOf.later, true)
  }

  setEarlier(ref: Ref, earlier: Ref): void {
    this.memoryOf(ref).view.setUint32(startOf(ref) + offsetOf.earlier, earlier, true)
  }

  setLater(ref: Ref, later: Ref): void {
    this.memoryOf(ref).view.setUint32(startOf(ref) + offsetOf.later, later, true)
  }

  revisionOf(ref: Ref): number {
    return this.memoryOf(ref).view.getFloat64(startOf(ref) + offsetOf.revision, true)
  }

  placeOf(ref: Ref): number {
    return this.#placeAndFlags(ref) & placeMask
  }

  keyValueOf(ref: Ref): KeyValue {
    return readKeyValue(this.memoryOf(ref), bodyOf(ref), this.lengthOf(ref))
  }

  isDelete(ref: Ref): boolean {
    return this.#placeAndFlags(ref) >= deleteFlag
  }

  hasLease(ref: Ref): boolean {
    return (this.#placeAndFlags(ref) & leaseFlag) !== 0
  }

  #placeAndFlags(ref: Ref): number {
    return this.memoryOf(ref).view.getUint32(startOf(ref) + offsetOf.place, true)
  }

  #hasRoom(number: number, size: number): boolean {
    const { memory, used } = this.segment(number)
    return used + size <= memory.bytes.byteLength
  }

  #take(number: number, size: number): Ref {
    const segment = this.segment(number)
    const ref = (number << offsetBits) | (segment.used >>> unitBits)
    segment.used += size
    segment.last = ref
    this.count++
    this.bytes += size
    return ref
  }
}

/** The offset of a record's message in its memory. */
export function bodyOf(ref: Ref): number {
  return startOf(ref) + recordHeadBytes
}

function startOf(ref: Ref): number {
  return (ref & offsetMask) << unitBits
}

function sizeOf(length: number): number {
  const unit = 1 << unitBits
  return (recordHeadBytes + length + unit - 1) & -unit
}
