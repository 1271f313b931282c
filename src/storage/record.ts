/**
 * What every record on disk says of itself, so that damage is never taken for data. A record begins with a
 * checksum over all that follows it; inside are its own place and, in the log, the checksum of the record
 * before it. A byte that rotted, a record under another's key and one that a lost write left behind are
 * each told apart from the real one.
 */
import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { type EntryRun, readRun, readUint32, writeUint32 } from '../raft/index.js'
import type { NoteName } from './keys.js'

/** What was acknowledged is no longer there, or no longer as it was written. */
export class DamageError extends Error {
  override readonly name = 'DamageError'
}

/** Of the checksum that every record begins with. */
export const checksumBytes = 4
const previousOffset = 4
const roomForChecksum = '\0'.repeat(checksumBytes)

/** The checksum that stands before the first record of an uncut log. */
export const chainOrigin = 0

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** True when a record is as it was sealed. */
export function isIntact(bytes: Uint8Array): boolean {
  if (bytes.byteLength < checksumBytes) return false
  return checksumOf(bytes) === crc32(bytes.subarray(checksumBytes))
}

/** Puts the checksum of all that follows at the beginning of a record, and returns it. */
export function seal(bytes: Uint8Array): number {
  const checksum = crc32(bytes.subarray(checksumBytes))
  writeUint32(bytes, 0, checksum)
  return checksum
}

/** Seals a run in place, in the two fields of its header that belong to the store; returns its checksum. */
export function sealRun(bytes: Uint8Array, previous: number): number {
  writeUint32(bytes, previousOffset, previous)
  return seal(bytes)
}

export function checksumOf(record: Uint8Array): number {
  return readUint32(record, 0)
}

/**
 * The run in a record that was found under the key of `index`, right after the record with checksum `previous`;
 * `undefined` where nobody has read that record.
 */
export function openRun(
  record: Uint8Array | undefined,
  index: number,
  previous: number | undefined,
): EntryRun {
  if (record === undefined) throw new DamageError(`the record of entry ${index} is missing`)
  if (!isIntact(record))
    throw new DamageError(`the record of entry ${index} is damaged: its checksum does not match`)
  const run = readRun(record)
  if (run === undefined)
    throw new DamageError(`the record of entry ${index} is damaged: it is not a run of entries`)
  if (run.index !== index) {
    throw new DamageError(
      `the record of entry ${index} is misplaced: it says that it holds entry ${run.index}`,
    )
  }
  if (previous !== undefined && readUint32(record, previousOffset) !== previous) {
    throw new DamageError(
      `the record of entry ${index} is out of the chain: it does not follow the record before it`,
    )
  }
  return run
}

const decoder = new TextDecoder()

/** A small record of plain data, which names itself. */
export function sealNote(name: NoteName | 'redo', content: unknown): Uint8Array {
  return sealNoteText(JSON.stringify([name, content]))
}

/** The small record of a text that was made elsewhere, as `sealNote` would have made it. */
export function sealNoteText(text: string): Uint8Array {
  const bytes = Buffer.from(roomForChecksum + text)
  seal(bytes)
  return bytes
}

/** The content of a small record, which is what `sealNote` was given. */
export function openNote(name: NoteName | 'redo', bytes: Uint8Array): unknown {
  if (!isIntact(bytes)) throw new DamageError(`the ${name} record is damaged: its checksum does not match`)
  const [itsName, content] = readNote(bytes)
  if (itsName !== name) {
    const itself = itsName === undefined ? 'a part of the log or of a snapshot' : `the ${itsName} record`
    throw new DamageError(`the ${name} record is misplaced: it says that it is ${itself}`)
  }
  return content
}

/** The name and the content of a small record, and nothing of another intact record, which is no text in JSON. */
function readNote(bytes: Uint8Array): readonly [name?: string, content?: unknown] {
  try {
    return JSON.parse(decoder.decode(bytes.subarray(checksumBytes))) as [string, unknown]
  } catch {
    return []
  }
}

/** Where a piece of a snapshot belongs. */
export interface ChunkPlace {
  readonly index: number
  readonly term: number
  readonly generation: number
  readonly offset: number
}

/** Checksum, then four doubles that say the place; the data follows. */
export const chunkHeaderBytes = 40
const chunkOffsets = { index: 8, term: 16, generation: 24, offset: 32 } as const

export function sealChunk(place: ChunkPlace, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(chunkHeaderBytes + data.byteLength)
  const view = viewOf(bytes)
  view.setFloat64(chunkOffsets.index, place.index, true)
  view.setFloat64(chunkOffsets.term, place.term, true)
  view.setFloat64(chunkOffsets.generation, place.generation, true)
  view.setFloat64(chunkOffsets.offset, place.offset, true)
  bytes.set(data, chunkHeaderBytes)
  seal(bytes)
  return bytes
}

/** The data of a piece that was found where `place` belongs. */
export function openChunk(record: Uint8Array | undefined, place: ChunkPlace): Uint8Array {
  const where = `the piece at byte ${place.offset} of the snapshot at entry ${place.index}`
  if (record === undefined) throw new DamageError(`${where} is missing`)
  if (record.byteLength < chunkHeaderBytes || !isIntact(record)) {
    throw new DamageError(`${where} is damaged: its checksum does not match`)
  }
  const view = viewOf(record)
  const isInPlace =
    view.getFloat64(chunkOffsets.index, true) === place.index &&
    view.getFloat64(chunkOffsets.term, true) === place.term &&
    view.getFloat64(chunkOffsets.generation, true) === place.generation &&
    view.getFloat64(chunkOffsets.offset, true) === place.offset
  if (!isInPlace) throw new DamageError(`${where} is misplaced: it says that it belongs elsewhere`)
  return record.subarray(chunkHeaderBytes)
}
