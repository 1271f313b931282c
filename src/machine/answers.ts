/**
 * What the built-in KV answers, packed in bytes: the machine writes here, the client reads. Every answer
 * begins with u8 status · u64 revision of the whole KV; what follows depends on the status:
 *
 *     found, to a get     record
 *     found, to a range   u8 has more · u32 count · count × (u16 key length · u32 value length · key · record)
 *     mismatch            record, or nothing when the key is absent
 *     record              u64 createRevision · u64 modRevision · u64 version · value
 */
import { assert } from '../raft/index.js'
import {
  entryBytesIn,
  entryOffset,
  keyLengthAt,
  keyOffset,
  revisionsBytes,
  valueLengthAt,
} from './kv-entry.js'
import { copyRange, type Memory } from './memory.js'
import { readUint16, readUint32, readUint64, writeUint32, writeUint64 } from './packed.js'

/** `tooLarge`: an append would have passed `valueBytesMax`. `malformed`: no command or query that is known. */
export const statuses = { applied: 0, found: 1, notFound: 2, mismatch: 3, tooLarge: 4, malformed: 5 } as const
export type Status = (typeof statuses)[keyof typeof statuses]

/** What a key holds. `value` is a view into the answer's bytes: copy what shall stay. */
export interface KvRecord {
  readonly value: Uint8Array
  /** The revision that created the key; a delete and a new put make a new one. */
  readonly createRevision: number
  /** The revision of the last write to the key. */
  readonly modRevision: number
  /** Writes to the key since it was created, that one included. */
  readonly version: number
}

export interface KeyedRecord extends KvRecord {
  /** A view into the answer's bytes. */
  readonly key: Uint8Array
}

/** `revision` is the one that the write made, or the present one when it made none. */
export type WriteAnswer =
  | { readonly status: 'applied' | 'notFound' | 'tooLarge' | 'malformed'; readonly revision: number }
  | { readonly status: 'mismatch'; readonly revision: number; readonly current: KvRecord | undefined }

export type GetAnswer =
  | { readonly status: 'found'; readonly revision: number; readonly record: KvRecord }
  | { readonly status: 'notFound' | 'malformed'; readonly revision: number }

export type RangeAnswer =
  | {
      readonly status: 'found'
      readonly revision: number
      readonly records: readonly KeyedRecord[]
      /** Whether keys within the bounds were left out for the limit, in entries or in bytes. */
      readonly hasMore: boolean
    }
  | { readonly status: 'malformed'; readonly revision: number }

export const answerHeaderBytes = 9
export const rangeHeaderBytes = answerHeaderBytes + 5

export function writeHeader(bytes: Uint8Array, offset: number, status: Status, revision: number): void {
  bytes[offset] = status
  writeUint64(bytes, offset + 1, revision)
}

/** Writes the record of an answer from the KV's record at `at`. Returns the offset behind it. */
export function writeRecord(into: Memory, offset: number, own: Memory, at: number): number {
  const valueLength = valueLengthAt(own, at)
  copyRange(into, offset, own, at + entryOffset, revisionsBytes)
  copyRange(into, offset + revisionsBytes, own, at + keyOffset + keyLengthAt(own, at), valueLength)
  return offset + revisionsBytes + valueLength
}

export function writeRangeHeader(
  bytes: Uint8Array,
  offset: number,
  revision: number,
  count: number,
  hasMore: boolean,
): void {
  writeHeader(bytes, offset, statuses.found, revision)
  bytes[offset + answerHeaderBytes] = hasMore ? 1 : 0
  writeUint32(bytes, offset + answerHeaderBytes + 1, count)
}

/** Bytes that the KV's record at `at` takes in the answer to a range: as many as its entry has. */
export const rangeEntryBytes = entryBytesIn

/** Returns the offset behind the entry. */
export function writeRangeEntry(into: Memory, offset: number, own: Memory, at: number): number {
  const keyLength = keyLengthAt(own, at)
  into.view.setUint16(offset, keyLength, true)
  into.view.setUint32(offset + 2, valueLengthAt(own, at), true)
  copyRange(into, offset + 6, own, at + keyOffset, keyLength)
  return writeRecord(into, offset + 6 + keyLength, own, at)
}

/** Reads the result of a command from the bytes `start` to `end`. */
export function readWriteAnswer(bytes: Uint8Array, start = 0, end = bytes.byteLength): WriteAnswer {
  const revision = readUint64(bytes, start + 1)
  const record = start + answerHeaderBytes
  switch (bytes[start]) {
    case statuses.applied:
      return { status: 'applied', revision }
    case statuses.notFound:
      return { status: 'notFound', revision }
    case statuses.mismatch:
      return {
        status: 'mismatch',
        revision,
        current: record < end ? readRecord(bytes, record, end) : undefined,
      }
    case statuses.tooLarge:
      return { status: 'tooLarge', revision }
    default:
      assert(bytes[start] === statuses.malformed, 'a command is answered with a known status')
      return { status: 'malformed', revision }
  }
}

export function readGetAnswer(bytes: Uint8Array, start = 0, end = bytes.byteLength): GetAnswer {
  const revision = readUint64(bytes, start + 1)
  switch (bytes[start]) {
    case statuses.found:
      return { status: 'found', revision, record: readRecord(bytes, start + answerHeaderBytes, end) }
    case statuses.notFound:
      return { status: 'notFound', revision }
    default:
      assert(bytes[start] === statuses.malformed, 'a get is answered with a known status')
      return { status: 'malformed', revision }
  }
}

export function readRangeAnswer(bytes: Uint8Array, start = 0): RangeAnswer {
  const revision = readUint64(bytes, start + 1)
  if (bytes[start] !== statuses.found) {
    assert(bytes[start] === statuses.malformed, 'a range is answered with a known status')
    return { status: 'malformed', revision }
  }
  const hasMore = bytes[start + answerHeaderBytes] === 1
  const count = readUint32(bytes, start + answerHeaderBytes + 1)
  const records: KeyedRecord[] = []
  let offset = start + rangeHeaderBytes
  for (let position = 0; position < count; position++) {
    const record = offset + 6 + readUint16(bytes, offset)
    const end = record + revisionsBytes + readUint32(bytes, offset + 2)
    records.push({ key: bytes.subarray(offset + 6, record), ...readRecord(bytes, record, end) })
    offset = end
  }
  return { status: 'found', revision, records, hasMore }
}

function readRecord(bytes: Uint8Array, start: number, end: number): KvRecord {
  return {
    value: bytes.subarray(start + revisionsBytes, end),
    createRevision: readUint64(bytes, start),
    modRevision: readUint64(bytes, start + 8),
    version: readUint64(bytes, start + 16),
  }
}
