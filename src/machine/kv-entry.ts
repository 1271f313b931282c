/** What the built-in KV remembers of a key, and how an entry lies in a snapshot. */
import type { Stored } from './answers.js'
import { keyBytesMax, valueBytesMax } from './commands.js'
import {
  bufferOf,
  readUint16,
  readUint32,
  readUint64,
  writeUint16,
  writeUint32,
  writeUint64,
} from './packed.js'

/** Strings hold one byte a character (Latin-1): as compact as bytes, ordered like bytes, and a Map takes them as keys. */
export class KvEntry implements Stored {
  readonly key: string
  value: string
  readonly createRevision: number
  modRevision: number
  version: number
  /**
   * Number of the last snapshot that needs nothing more from this entry: it was visited, or its pre-image
   * was kept, or it did not exist at that instant.
   */
  settledIn: number

  constructor(stored: Stored, settledIn: number) {
    this.key = stored.key
    this.value = stored.value
    this.createRevision = stored.createRevision
    this.modRevision = stored.modRevision
    this.version = stored.version
    this.settledIn = settledIn
  }
}

/** u64 createRevision · u64 modRevision · u64 version · u16 key length · u32 value length · key · value */
const prefixBytes = 30

export function entryBytes(stored: Stored): number {
  return prefixBytes + stored.key.length + stored.value.length
}

/** Returns the offset behind the entry. */
export function writeEntry(bytes: Uint8Array, offset: number, stored: Stored): number {
  const { key, value } = stored
  writeUint64(bytes, offset, stored.createRevision)
  writeUint64(bytes, offset + 8, stored.modRevision)
  writeUint64(bytes, offset + 16, stored.version)
  writeUint16(bytes, offset + 24, key.length)
  writeUint32(bytes, offset + 26, value.length)
  const buffer = bufferOf(bytes)
  buffer.write(key, offset + prefixBytes, key.length, 'latin1')
  buffer.write(value, offset + prefixBytes + key.length, value.length, 'latin1')
  return offset + prefixBytes + key.length + value.length
}

/** Length of the entry that begins at `offset`; `undefined` while its prefix is not whole. */
export function entryBytesAt(bytes: Uint8Array, offset: number, end: number): number | undefined {
  if (end - offset < prefixBytes) return undefined
  const keyLength = readUint16(bytes, offset + 24)
  const valueLength = readUint32(bytes, offset + 26)
  if (keyLength < 1 || keyLength > keyBytesMax || valueLength > valueBytesMax) {
    throw new Error(
      `snapshot of the KV: an entry has a key of ${keyLength} and a value of ${valueLength} bytes`,
    )
  }
  return prefixBytes + keyLength + valueLength
}

/** Reads a whole entry of `length` bytes, as `entryBytesAt` measured it. */
export function readEntry(bytes: Uint8Array, offset: number, length: number): KvEntry {
  const keyEnd = offset + prefixBytes + readUint16(bytes, offset + 24)
  const buffer = bufferOf(bytes)
  return new KvEntry(
    {
      key: buffer.toString('latin1', offset + prefixBytes, keyEnd),
      value: buffer.toString('latin1', keyEnd, offset + length),
      createRevision: readUint64(bytes, offset),
      modRevision: readUint64(bytes, offset + 8),
      version: readUint64(bytes, offset + 16),
    },
    0,
  )
}
