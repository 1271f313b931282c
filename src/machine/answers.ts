/**
 * The answers of the built-in KV, packed in bytes: the machine writes them, the client reads them. Every answer
 * begins with u8 status · u64 revision of the whole KV. The rest depends on the status:
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
import { setUint64, uint64At } from './packed.js'

/** `tooLarge`: an append would have passed `valueBytesMax`. `malformed`: the bytes are no known command or query. */
export const statuses = { applied: 0, found: 1, notFound: 2, mismatch: 3, tooLarge: 4, malformed: 5 } as const
export type Status = (typeof statuses)[keyof typeof statuses]

/** The value of a key, with its revisions. */
export interface KvRecord<Value extends Uint8Array = Uint8Array> {
  readonly value: Value
  /** The revision that created the key. A put after a delete creates the key anew. */
  readonly createRevision: number
  /** The revision of the last write to the key. */
  readonly modRevision: number
  /** How many writes the key has had since its creation, the creation included. */
  readonly version: number
}

export interface KeyedRecord<Value extends Uint8Array = Uint8Array> extends KvRecord<Value> {
  readonly key: Value
}

/** `revision` is the revision that the write made. A write that changed nothing gives the present revision. */
export type WriteAnswer<Value extends Uint8Array = Uint8Array> =
  | { readonly status: 'applied' | 'notFound' | 'tooLarge' | 'malformed'; readonly revision: number }
  | { readonly status: 'mismatch'; readonly revision: number; readonly current: KvRecord<Value> | undefined }

export type GetAnswer<Value extends Uint8Array = Uint8Array> =
  | { readonly status: 'found'; readonly revision: number; readonly record: KvRecord<Value> }
  | { readonly status: 'notFound' | 'malformed'; readonly revision: number }

export type RangeAnswer<Value extends Uint8Array = Uint8Array> =
  | {
      readonly status: 'found'
      readonly revision: number
      readonly records: readonly KeyedRecord<Value>[]
      /** Whether keys within the bounds were left out, because the answer reached its limit of entries or of bytes. */
      readonly hasMore: boolean
    }
  | { readonly status: 'malformed'; readonly revision: number }

/**
 * Packed answers, and how a reader takes keys and values out of them. `Memory` gives views: a reader that keeps them
 * must copy.
 */
export interface AnswerSource<Value extends Uint8Array> {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** The bytes `start` to `end`. */
  take(start: number, end: number): Value
}

export const answerHeaderBytes = 9
export const rangeHeaderBytes = answerHeaderBytes + 5

export function writeHeader({ view }: Memory, offset: number, status: Status, revision: number): void {
  view.setUint8(offset, status)
  setUint64(view, offset + 1, revision)
}

/** Writes the record of an answer from the KV's record at `at`. Returns the offset behind it. */
export function writeRecord(
  into: Memory,
  offset: number,
  own: Memory,
  at: number,
  valueLength: number,
): number {
  copyRange(into, offset, own, at + entryOffset, revisionsBytes)
  copyRange(into, offset + revisionsBytes, own, at + keyOffset + keyLengthAt(own, at), valueLength)
  return offset + revisionsBytes + valueLength
}

export function writeRangeHeader(
  into: Memory,
  offset: number,
  revision: number,
  count: number,
  hasMore: boolean,
): void {
  writeHeader(into, offset, statuses.found, revision)
  into.view.setUint8(offset + answerHeaderBytes, hasMore ? 1 : 0)
  into.view.setUint32(offset + answerHeaderBytes + 1, count, true)
}

/**
 * Bytes that the KV's record at `at` takes in the answer to a range. An answer holds the entry of the record as it is.
 */
export const rangeEntryBytes = entryBytesIn

/** Returns the offset behind the entry. */
export function writeRangeEntry(into: Memory, offset: number, own: Memory, at: number): number {
  const keyLength = keyLengthAt(own, at)
  const valueLength = valueLengthAt(own, at)
  into.view.setUint16(offset, keyLength, true)
  into.view.setUint32(offset + 2, valueLength, true)
  copyRange(into, offset + 6, own, at + keyOffset, keyLength)
  return writeRecord(into, offset + 6 + keyLength, own, at, valueLength)
}

/** Reads the result of a command from the bytes `start` to `end`. */
export function readWriteAnswer<Value extends Uint8Array>(
  source: AnswerSource<Value>,
  start = 0,
  end = source.bytes.byteLength,
): WriteAnswer<Value> {
  const { bytes, view } = source
  const record = start + answerHeaderBytes
  assert(record <= end, 'an answer is as long as its header')
  const revision = uint64At(view, start + 1)
  switch (bytes[start]) {
    case statuses.applied:
      return { status: 'applied', revision }
    case statuses.notFound:
      return { status: 'notFound', revision }
    case statuses.mismatch:
      return {
        status: 'mismatch',
        revision,
        current: record < end ? readRecord(source, record, end) : undefined,
      }
    case statuses.tooLarge:
      return { status: 'tooLarge', revision }
    default:
      assert(bytes[start] === statuses.malformed, 'a command is answered with a known status')
      return { status: 'malformed', revision }
  }
}

/** Reads the answer to a get from the bytes `start` to `end`. */
export function readGetAnswer<Value extends Uint8Array>(
  source: AnswerSource<Value>,
  start = 0,
  end = source.bytes.byteLength,
): GetAnswer<Value> {
  const { bytes, view } = source
  const record = start + answerHeaderBytes
  assert(record <= end, 'an answer is as long as its header')
  const revision = uint64At(view, start + 1)
  switch (bytes[start]) {
    case statuses.found:
      return { status: 'found', revision, record: readRecord(source, record, end) }
    case statuses.notFound:
      return { status: 'notFound', revision }
    default:
      assert(bytes[start] === statuses.malformed, 'a get is answered with a known status')
      return { status: 'malformed', revision }
  }
}

/** Reads the answer to a range from the bytes `start` to `end`. */
export function readRangeAnswer<Value extends Uint8Array>(
  source: AnswerSource<Value>,
  start = 0,
  end = source.bytes.byteLength,
): RangeAnswer<Value> {
  const { bytes, view } = source
  assert(start + answerHeaderBytes <= end, 'an answer is as long as its header')
  const revision = uint64At(view, start + 1)
  if (bytes[start] !== statuses.found) {
    assert(bytes[start] === statuses.malformed, 'a range is answered with a known status')
    return { status: 'malformed', revision }
  }
  const hasMore = bytes[start + answerHeaderBytes] === 1
  const count = view.getUint32(start + answerHeaderBytes + 1, true)
  const records: KeyedRecord<Value>[] = []
  let offset = start + rangeHeaderBytes
  for (let position = 0; position < count; position++) {
    const record = offset + 6 + view.getUint16(offset, true)
    const next = record + revisionsBytes + view.getUint32(offset + 2, true)
    assert(next <= end, 'an answer holds the keys that it counts')
    records.push({ key: source.take(offset + 6, record), ...readRecord(source, record, next) })
    offset = next
  }
  return { status: 'found', revision, records, hasMore }
}

function readRecord<Value extends Uint8Array>(
  source: AnswerSource<Value>,
  start: number,
  end: number,
): KvRecord<Value> {
  const { view } = source
  assert(start + revisionsBytes <= end, 'a record is as long as its revisions')
  return {
    value: source.take(start + revisionsBytes, end),
    createRevision: uint64At(view, start),
    modRevision: uint64At(view, start + 8),
    version: uint64At(view, start + 16),
  }
}
