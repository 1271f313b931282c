/**
 * The store of all revisions: what a put, a delete and a compaction do to it. Changes between two `commit`s are of one
 * revision.
 */
import { Memory } from '../machine/index.js'
import type { Status } from './border.js'
import type { Bounds, Place } from './key-order.js'
import {
  type KeyValue,
  keyLength,
  keyStart,
  keyValueBytes,
  type NewKeyValue,
  writeKeyValue,
} from './key-value.js'
import { Keys } from './keys.js'
import type { Leases } from './leases.js'
import { bodyOf, type RecordHead, Records, type Ref } from './records.js'
import { bytesFieldBytes, Writer } from './wire.js'

const noMemory = new Memory(new Uint8Array(0))

export class Store {
  readonly records = new Records()
  readonly keys = new Keys(this.records)
  readonly #leases: Leases
  /** Of the last commit that changed something. An empty store has revision 1. */
  revision = 1
  /** Revisions below are gone. −1: nothing was ever compacted. */
  compactRevision = -1
  /** Changes since the last commit. */
  #changes = 0

  constructor(leases: Leases) {
    this.#leases = leases
  }

  /** The revision that a read sees: that of the changes under way, where there are any. */
  get visibleRevision(): number {
    return this.#changes === 0 ? this.revision : this.revision + 1
  }

  /** Ends a revision. Without a change there is none. */
  commit(): void {
    this.revision = this.visibleRevision
    this.#changes = 0
  }

  /** The newest record of a key that exists; 0 when it does not. */
  get(key: Place): Ref {
    const number = this.keys.find(key)
    return number === 0 ? 0 : this.liveOf(number)
  }

  /** The newest record of a key, by its number; 0 when the key is deleted. */
  liveOf(number: number): Ref {
    const head = this.keys.headOf(number)
    return this.records.isDelete(head) ? 0 : head
  }

  /** The record of a key that was in force at a revision, which is not compacted; 0 when the key did not exist. */
  recordAt(number: number, revision: number): Ref {
    const { records } = this
    let ref = this.keys.headOf(number)
    while (ref !== 0 && records.revisionOf(ref) > revision) ref = records.earlierOf(ref)
    return ref === 0 || records.isDelete(ref) ? 0 : ref
  }

  countAt(bounds: Bounds, revision: number): number {
    return this.keys.order.countLive(bounds, revision, (number) => this.recordAt(number, revision) !== 0)
  }

  /** Why the store can't be compacted up to a revision; `undefined` once it is. */
  compact(revision: number): Status | undefined {
    if (revision <= this.compactRevision) return 'compacted'
    if (revision > this.revision) return 'futureRevision'
    this.compactRevision = revision
    return undefined
  }

  put(key: Place, value: Place, lease: bigint): void {
    const { records, keys } = this
    const found = keys.find(key)
    const number = found === 0 ? keys.take() : found
    const head = found === 0 ? 0 : keys.headOf(number)
    const isLive = head !== 0 && !records.isDelete(head)
    const present = isLive ? this.keyValueOf(head) : undefined
    const revision = this.revision + 1
    const fields: NewKeyValue = {
      keyLength: key.length,
      createRevision: present?.createRevision ?? revision,
      modRevision: revision,
      version: (present?.version ?? 0) + 1,
      valueLength: value.length,
      lease,
    }
    const place = this.#changes++
    const recordHead = { key: number, revision, place, isDelete: false, hasLease: lease !== 0n }
    const ref = records.append(recordHead, keyValueBytes(fields), head)
    writeKeyValue(new Writer(records.memoryOf(ref), bodyOf(ref)), fields, key, value)
    this.#setHead(number, key, head, ref)
    if (present !== undefined && present.lease !== 0n) this.#leases.detach(number, present.lease)
    if (lease !== 0n) this.#leases.attach(number, lease)
  }

  /** Deletes a key that exists. */
  delete(number: number): void {
    const head = this.keys.headOf(number)
    this.#bury(number)
    if (this.records.hasLease(head)) this.#leases.detach(number, this.keyValueOf(head).lease)
  }

  /** Appends the record of a delete. */
  #bury(number: number): void {
    const { records, keys } = this
    const key = keys.placeOf(number)
    const head = keys.headOf(number)
    const revision = this.revision + 1
    const place = this.#changes++
    const recordHead = { key: number, revision, place, isDelete: true, hasLease: false }
    const ref = records.append(recordHead, bytesFieldBytes(key.length), head)
    const writer = new Writer(records.memoryOf(ref), bodyOf(ref))
    writer.bytesHead(1, key.length)
    writer.bytes(key.memory, key.start, key.start + key.length)
    this.#setHead(number, key, head, ref)
  }

  /** Deletes the keys of a lease that is gone, in the order of their bytes, at one revision of their own. */
  deleteAtOnce(numbers: Iterable<number>): void {
    for (const number of this.inOrder(numbers)) this.#bury(number)
    this.commit()
  }

  /** Keys in the order of their bytes. */
  inOrder(numbers: Iterable<number>): number[] {
    const { order } = this.keys
    const ranks = Float64Array.from(numbers, (number) => order.rankOf(number))
    return Array.from(ranks.sort(), (rank) => order.atRank(rank))
  }

  /** The bytes of a key, valid until the next change. */
  keyOf(number: number): Uint8Array {
    const { memory, start, length } = this.keys.placeOf(number)
    return memory.bytes.subarray(start, start + length)
  }

  /** Makes a record the newest of its key. The key may stand in the record before. */
  #setHead(number: number, key: Place, before: Ref, head: Ref): void {
    const { records, keys } = this
    const revision = records.revisionOf(head)
    const isLive = !records.isDelete(head)
    if (before === 0) {
      keys.add(number, key, head)
      return keys.order.add(number, key, isLive, revision)
    }
    keys.setHead(number, head)
    if (records.isDelete(before) === isLive) keys.order.changeLive(number, isLive ? 1 : -1, revision)
  }

  /**
   * Appends a record of a snapshot, whose message stands in `memory` from `start` on. A key with its first record has the
   * next number. False: the record is not that of its key. The keys' order is made when all records are there.
   */
  addRecord(head: RecordHead, memory: Memory, start: number, length: number): boolean {
    const { records, keys } = this
    const key = { memory, start: keyStart(memory, start), length: keyLength(memory, start) }
    if (key.length < 0 || key.start + key.length > start + length) return false
    const isNew = head.key === keys.numbersEnd
    if (!isNew && (head.key < 1 || head.key > keys.numbersEnd || !keys.isOf(head.key, key))) return false
    const number = isNew ? keys.take() : head.key
    const ref = records.append(head, length, isNew ? 0 : keys.headOf(number))
    new Writer(records.memoryOf(ref), bodyOf(ref)).bytes(memory, start, start + length)
    if (isNew) keys.add(number, key, ref)
    else keys.setHead(number, ref)
    return true
  }

  /** Attaches all keys that exist to their leases. */
  attachAll(): void {
    const { records, keys } = this
    const all = { memory: noMemory, start: 0, length: 0, end: 0, endLength: 0 }
    keys.order.visit(all, (number) => {
      const ref = this.liveOf(number)
      if (ref !== 0 && records.hasLease(ref)) this.#leases.attach(number, this.keyValueOf(ref).lease)
      return true
    })
  }

  keyValueOf(ref: Ref): KeyValue {
    return this.records.keyValueOf(ref)
  }

  valueOf(ref: Ref): Place {
    const { value } = this.keyValueOf(ref)
    return { memory: this.records.memoryOf(ref), start: value.start, length: value.end - value.start }
  }

  /**
   * Whether a record belongs to the state: a compaction leaves the records from its revision on, and of each key that
   * existed then the record that was in force.
   */
  isKept(ref: Ref, compactRevision = this.compactRevision): boolean {
    const { records } = this
    if (records.revisionOf(ref) >= compactRevision) return true
    if (records.isDelete(ref)) return false
    const later = records.laterOf(ref)
    return later === 0 || records.revisionOf(later) > compactRevision
  }
}
