/**
 * How the built-in KV's entries lie in memory. A record is an entry as a snapshot holds it, with two numbers in
 * front that only this process uses:
 *
 *     record   u32 id · u32 mark · entry
 *     entry    u64 createRevision · u64 modRevision · u64 version · u16 key length · u32 value length · key · value
 */
import { readUint32 } from '../raft/index.js'
import { keyBytesMax, valueBytesMax } from './commands.js'
import type { Memory } from './memory.js'
import { readUint16, readUint64, setUint64 } from './packed.js'

/** Bytes of a record before its entry. */
export const entryOffset = 8
/** Bytes of an entry before its key. */
export const entryPrefixBytes = 30
/** Bytes of a record before its key. */
export const keyOffset = entryOffset + entryPrefixBytes
/** The three numbers at the beginning of an entry. */
export const revisionsBytes = 24
export const entryBytesMax = entryPrefixBytes + keyBytesMax + valueBytesMax

const offsetOf = { mark: 4, create: 8, mod: 16, version: 24, keyLength: 32, valueLength: 34 } as const

export function idAt(memory: Memory, at: number): number {
  return memory.view.getInt32(at, true)
}

/**
 * Number of the last snapshot that needs nothing more from this record: the snapshot has visited the record or kept its
 * earlier value, or the record is newer than the snapshot.
 */
export function markAt(memory: Memory, at: number): number {
  return memory.view.getUint32(at + offsetOf.mark, true)
}

export function setMark(memory: Memory, at: number, mark: number): void {
  memory.view.setUint32(at + offsetOf.mark, mark, true)
}

export function keyLengthAt(memory: Memory, at: number): number {
  return memory.view.getUint16(at + offsetOf.keyLength, true)
}

export function valueLengthAt(memory: Memory, at: number): number {
  return memory.view.getUint32(at + offsetOf.valueLength, true)
}

export function setValueLength(memory: Memory, at: number, length: number): void {
  memory.view.setUint32(at + offsetOf.valueLength, length, true)
}

/** Bytes of the entry in the record at `at`. */
export function entryBytesIn(memory: Memory, at: number): number {
  return entryPrefixBytes + keyLengthAt(memory, at) + valueLengthAt(memory, at)
}

/** Writes all of a new record but its key and its value. */
export function writeNewRecord(
  memory: Memory,
  at: number,
  id: number,
  mark: number,
  revision: number,
  keyLength: number,
  valueLength: number,
): void {
  memory.view.setInt32(at, id, true)
  setMark(memory, at, mark)
  setUint64(memory.view, at + offsetOf.create, revision)
  setUint64(memory.view, at + offsetOf.mod, revision)
  setUint64(memory.view, at + offsetOf.version, 1)
  memory.view.setUint16(at + offsetOf.keyLength, keyLength, true)
  setValueLength(memory, at, valueLength)
}

/** Notes a write to an existing record. */
export function countWrite(memory: Memory, at: number, revision: number): void {
  const { view } = memory
  setUint64(view, at + offsetOf.mod, revision)
  const versions = (view.getInt32(at + offsetOf.version, true) + 1) | 0
  view.setInt32(at + offsetOf.version, versions, true)
  if (versions !== 0) return
  const carried = view.getUint32(at + offsetOf.version + 4, true) + 1
  view.setUint32(at + offsetOf.version + 4, carried, true)
}

/** A key as a snapshot tells it. */
export interface EntryHead {
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
}

export function readHead(bytes: Uint8Array, offset: number): EntryHead {
  return {
    createRevision: readUint64(bytes, offset),
    modRevision: readUint64(bytes, offset + 8),
    version: readUint64(bytes, offset + 16),
  }
}

/** Length of the entry that begins at `offset`. `undefined` when the bytes end before the entry's lengths. */
export function entryBytesAt(bytes: Uint8Array, offset: number, end: number): number | undefined {
  if (end - offset < entryPrefixBytes) return undefined
  const keyLength = readUint16(bytes, offset + 24)
  const valueLength = readUint32(bytes, offset + 26)
  if (keyLength < 1 || keyLength > keyBytesMax || valueLength > valueBytesMax) {
    throw new Error(
      `snapshot of the KV: an entry has a key of ${keyLength} and a value of ${valueLength} bytes`,
    )
  }
  return entryPrefixBytes + keyLength + valueLength
}
