/**
 * HashKV of etcd 3.4: CRC-32C over the name of the bucket, and over the revision and the KeyValue of each record up to a
 * revision. Of the records up to the compaction, only those in force at the revision count.
 */
import type { Memory } from '../machine/index.js'
import { bodyOf, type Ref } from './records.js'
import type { Store } from './store.js'

const bucket = new TextEncoder().encode('key')
const revisionBytes = 8 + 1 + 8
const separator = 0x5f
const deleteMark = 0x74
const twoTo32 = 0x1_0000_0000

export function hashKv(store: Store, revision: number): number {
  const { records, compactRevision } = store
  // Where no key exists at the revision, etcd looks no further.
  const hasKeys = existsAny(store, revision)
  const head = new DataView(new ArrayBuffer(revisionBytes + 1))
  head.setUint8(8, separator)
  head.setUint8(revisionBytes, deleteMark)
  const headBytes = new Uint8Array(head.buffer)
  let crc = update(0xffff_ffff, bucket, 0, bucket.length)
  for (const ref of refsUpTo(store, revision)) {
    const main = records.revisionOf(ref)
    // etcd has no delete of the compaction's revision, and nothing that this revision replaced itself.
    if (main <= compactRevision && !isInForce(store, ref, hasKeys ? revision : compactRevision)) continue
    setUint64(head, 0, main)
    setUint64(head, 9, records.placeOf(ref))
    crc = update(crc, headBytes, 0, records.isDelete(ref) ? revisionBytes + 1 : revisionBytes)
    crc = updateFrom(crc, records.memoryOf(ref), bodyOf(ref), records.lengthOf(ref))
  }
  return ~crc >>> 0
}

function isInForce({ records }: Store, ref: Ref, revision: number): boolean {
  const later = records.laterOf(ref)
  return !records.isDelete(ref) && (later === 0 || records.revisionOf(later) > revision)
}

function existsAny(store: Store, revision: number): boolean {
  for (const ref of refsUpTo(store, revision)) if (isInForce(store, ref, revision)) return true
  return false
}

function* refsUpTo(store: Store, revision: number): Generator<Ref, void, undefined> {
  const { records } = store
  for (const number of records.order) {
    for (const ref of records.refsOf(number)) {
      if (records.revisionOf(ref) > revision) return
      if (store.isKept(ref)) yield ref
    }
  }
}

function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / twoTo32))
  view.setUint32(at + 4, value % twoTo32)
}

function updateFrom(crc: number, { bytes }: Memory, start: number, length: number): number {
  return update(crc, bytes, start, start + length)
}

/** For each of four places, the change of the checksum by each byte, so that four bytes are taken at once. */
const tables = tablesOf(0x82f6_3b78)

function tablesOf(polynomial: number): readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    return crc
  })
  const next = (table: Uint32Array): Uint32Array => table.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!)
  const second = next(first)
  const third = next(second)
  return [first, second, third, next(third)]
}

function update(from: number, bytes: Uint8Array, start: number, end: number): number {
  const [first, second, third, fourth] = tables
  let crc = from
  let at = start
  for (; at + 4 <= end; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc = fourth[crc & 0xff]! ^ third[(crc >>> 8) & 0xff]! ^ second[(crc >>> 16) & 0xff]! ^ first[crc >>> 24]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ first[(crc ^ bytes[at]!) & 0xff]!
  return crc
}
