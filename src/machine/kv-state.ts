/**
 * The built-in KV's state: records in slabs, an index that finds them by key, and the order of the keys. A
 * record is named by its reference, which is valid until the next change of the state, also of another record.
 */
import {
  countWrite,
  entryBytesIn,
  entryOffset,
  entryPrefixBytes,
  idAt,
  keyLengthAt,
  keyOffset,
  setValueLength,
  valueLengthAt,
  writeNewRecord,
} from './kv-entry.js'
import { hashKey, KvIndex } from './kv-index.js'
import { KvOrder } from './kv-order.js'
import { Places } from './kv-places.js'
import { isSameSlot, offsetOfRef, Slabs } from './kv-slabs.js'
import { copyRange, isEqualRange, type Memory } from './memory.js'

export class KvState {
  readonly slabs = new Slabs()
  readonly #places = new Places()
  readonly #index = new KvIndex(this.slabs)
  readonly #order = new KvOrder(this.slabs, this.#places)
  #count = 0
  /** Counts the successful writes. */
  revision = 0

  get count(): number {
    return this.#count
  }

  /** Brings the records of `count` keys into the processor's caches, `fetchedMax` at most. */
  fetch(hashes: Int32Array, count: number): void {
    this.#index.fetch(hashes, count)
  }

  /** The record of a key whose hash is known; 0 when it is absent. */
  find(hash: number, memory: Memory, start: number, length: number): number {
    const ref = this.#index.find(hash, memory, start, length)
    if (ref !== 0 || this.#index.homeless === 0) return ref
    return this.#order.find(memory, start, length)
  }

  /** Makes a record for an absent key. The caller writes the value, of `valueLength` bytes. */
  create(
    hash: number,
    memory: Memory,
    start: number,
    keyLength: number,
    valueLength: number,
    mark: number,
  ): number {
    const ref = this.slabs.allocate(keyOffset + keyLength + valueLength)
    const id = this.#places.add(ref)
    const own = this.slabs.memoryOf(ref)
    const at = offsetOfRef(ref)
    writeNewRecord(own, at, id, mark, this.revision, keyLength, valueLength)
    copyRange(own, at + keyOffset, memory, start, keyLength)
    this.#index.add(hash, ref)
    this.#order.add(id, memory, start, keyLength)
    this.#count++
    return ref
  }

  /**
   * Counts a write to a record and makes room for a value of `valueLength` bytes. The first `keptLength` bytes stay as
   * they are, and the caller writes the others. Answers with the record's reference.
   */
  rewrite(hash: number, ref: number, valueLength: number, keptLength: number): number {
    const own = this.slabs.memoryOf(ref)
    const at = offsetOfRef(ref)
    countWrite(own, at, this.revision)
    const present = valueLengthAt(own, at)
    if (present === valueLength) return ref
    setValueLength(own, at, valueLength)
    const bytesBeforeValue = keyOffset + keyLengthAt(own, at)
    if (isSameSlot(bytesBeforeValue + present, bytesBeforeValue + valueLength)) return ref
    const moved = this.slabs.allocate(bytesBeforeValue + valueLength)
    copyRange(this.slabs.memoryOf(moved), offsetOfRef(moved), own, at, bytesBeforeValue + keptLength)
    this.#places.move(idAt(own, at), moved)
    this.#index.replace(hash, ref, moved)
    this.#release(ref, bytesBeforeValue + present)
    return moved
  }

  delete(hash: number, ref: number): void {
    const own = this.slabs.memoryOf(ref)
    const at = offsetOfRef(ref)
    const id = idAt(own, at)
    this.#index.remove(hash, ref)
    this.#order.remove(id, own, at + keyOffset, keyLengthAt(own, at))
    this.#places.remove(id)
    this.#release(ref, entryOffset + entryBytesIn(own, at))
    this.#count--
  }

  /** Gives back a slot. When another record moves into it, the index and the numbers are told of the move. */
  #release(ref: number, bytes: number): void {
    const from = this.slabs.release(ref, bytes)
    if (from === 0) return
    const own = this.slabs.memoryOf(ref)
    const at = offsetOfRef(ref)
    this.#places.move(idAt(own, at), ref)
    this.#index.replace(hashKey(own, at + keyOffset, keyLengthAt(own, at)), from, ref)
  }

  /** Takes over an entry of a snapshot. Answers false when its key exists already. */
  addEntry(memory: Memory, start: number, length: number): boolean {
    const keyLength = memory.view.getUint16(start + 24, true)
    const key = start + entryPrefixBytes
    const hash = hashKey(memory, key, keyLength)
    if (this.find(hash, memory, key, keyLength) !== 0) return false
    const ref = this.create(hash, memory, key, keyLength, length - entryPrefixBytes - keyLength, 0)
    copyRange(this.slabs.memoryOf(ref), offsetOfRef(ref) + entryOffset, memory, start, length)
    return true
  }

  valueLength(ref: number): number {
    return valueLengthAt(this.slabs.memoryOf(ref), offsetOfRef(ref))
  }

  /** Writes to the value of a record, from `offset` on. */
  setValue(ref: number, offset: number, memory: Memory, start: number, length: number): void {
    const own = this.slabs.memoryOf(ref)
    const at = offsetOfRef(ref)
    copyRange(own, at + keyOffset + keyLengthAt(own, at) + offset, memory, start, length)
  }

  hasValue(ref: number, memory: Memory, start: number, length: number): boolean {
    const own = this.slabs.memoryOf(ref)
    const at = offsetOfRef(ref)
    const value = at + keyOffset + keyLengthAt(own, at)
    return valueLengthAt(own, at) === length && isEqualRange(own, value, memory, start, length)
  }

  /** Visits records in the order of their keys, from the given one on, until `visit` answers false. */
  visit(memory: Memory, start: number, length: number, visit: (ref: number) => boolean): void {
    this.#order.visit(memory, start, length, visit)
  }
}
