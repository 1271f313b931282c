/**
 * The commands and queries of the built-in KV, packed in bytes. Clients call the writers, which check every
 * bound before they reserve a byte. The machine reads the same layouts, and checks every length again.
 *
 * Layouts, little-endian. The frame around a command tells the command's length:
 *
 *     put, append   u8 op · u16 key length · key · value
 *     delete        u8 op · u16 key length · key
 *     cas           u8 op · u16 key length · key · u32 expected length · expected · value
 *     casAbsent     u8 op · u16 key length · key · value
 *     get           u8 op · key
 *     range         u8 op · u32 limit · u16 start length · start · end
 */
import { RaftError } from '../errors/index.js'
import { isBytes, lengthOfBytes, writeUint32 } from '../raft/index.js'
import { bufferOf, writeUint16 } from './packed.js'

/**
 * A key or a value. A string stands for its UTF-8 bytes. A string with a lone surrogate is refused, since UTF-8 has no
 * bytes for it.
 */
export type Bytes = string | Uint8Array

/** Keys have 1 to this many bytes. */
export const keyBytesMax = 1024
/** Values have 0 to this many bytes. A cas carries two of them and must still fit well into a call. */
export const valueBytesMax = 256 * 1024
/** A bound of a range may be one byte longer than a key, so that it can stand just behind the longest one. */
export const rangeBoundBytesMax = keyBytesMax + 1
/**
 * Entries that a range answers with when no limit is given. The answer is bounded in bytes too, see `rangeBytesMax`.
 */
export const rangeLimitDefault = 1000
export const rangeLimitMax = 0xffff_ffff
/**
 * A range stops before its answer passes this many bytes, and says that more entries remain. The first entry always
 * fits.
 */
export const rangeBytesMax = 512 * 1024

export const commandOps = { put: 1, delete: 2, append: 3, cas: 4, casAbsent: 5 } as const
export const queryOps = { get: 1, range: 2 } as const

/** Bytes before the key of a command. */
export const commandPrefixBytes = 3
/** Bytes before the key of a get. */
export const queryPrefixBytes = 1
/** Bytes before the start of a range. */
export const rangePrefixBytes = 7

/** The place where a command or query is packed, such as a `FrameBuilder`. */
export interface CommandSink {
  /** Makes room for one command of `length` bytes and returns the offset in `bytes` where it goes. */
  reserve(length: number): number
  readonly bytes: Uint8Array
}

export function writePut(into: CommandSink, key: Bytes, value: Bytes): void {
  writeKeyValue(into, commandOps.put, key, value)
}

/** Puts the value behind the present one; an absent key counts as an empty value. */
export function writeAppend(into: CommandSink, key: Bytes, value: Bytes): void {
  writeKeyValue(into, commandOps.append, key, value)
}

export function writeDelete(into: CommandSink, key: Bytes): void {
  const keyLength = lengthOfKey(key)
  writeOpAndKey(into, commandOps.delete, key, keyLength, 0)
}

/** Puts `value` if the present value equals `expected`; `undefined` expects that the key is absent. */
export function writeCas(into: CommandSink, key: Bytes, expected: Bytes | undefined, value: Bytes): void {
  if (expected === undefined) {
    writeKeyValue(into, commandOps.casAbsent, key, value)
    return
  }
  const keyLength = lengthOfKey(key)
  const expectedLength = lengthOfValue('expected value', expected)
  const valueLength = lengthOfValue('value', value)
  const offset = writeOpAndKey(into, commandOps.cas, key, keyLength, 4 + expectedLength + valueLength)
  writeUint32(into.bytes, offset, expectedLength)
  writeBytes(into.bytes, offset + 4, expected, expectedLength)
  writeBytes(into.bytes, offset + 4 + expectedLength, value, valueLength)
}

export function writeGet(into: CommandSink, key: Bytes): void {
  const keyLength = lengthOfKey(key)
  const offset = into.reserve(queryPrefixBytes + keyLength)
  into.bytes[offset] = queryOps.get
  writeBytes(into.bytes, offset + queryPrefixBytes, key, keyLength)
}

export interface RangeBounds {
  /** The first key, included. Default: the first of all keys. `afterKey(key)` goes on behind a key. */
  readonly start?: Bytes
  /**
   * The key at which the range ends, excluded. Default: no end. `afterPrefix(prefix)` ends behind all keys with the
   * prefix.
   */
  readonly end?: Bytes
  /** How many entries are answered at most, 1 to 2^32 - 1. Default 1000. */
  readonly limit?: number
}

export function writeRange(into: CommandSink, { start = '', end = '', limit }: RangeBounds = {}): void {
  const entries = limit ?? rangeLimitDefault
  if (!Number.isInteger(entries) || entries < 1 || entries > rangeLimitMax) {
    throw invalid('limit', `a whole number from 1 to ${rangeLimitMax}`, String(entries))
  }
  const startLength = lengthWithin('start', start, 0, rangeBoundBytesMax)
  const endLength = lengthWithin('end', end, 0, rangeBoundBytesMax)
  const offset = into.reserve(rangePrefixBytes + startLength + endLength)
  into.bytes[offset] = queryOps.range
  writeUint32(into.bytes, offset + 1, entries)
  writeUint16(into.bytes, offset + 5, startLength)
  writeBytes(into.bytes, offset + rangePrefixBytes, start, startLength)
  writeBytes(into.bytes, offset + rangePrefixBytes + startLength, end, endLength)
}

/** The smallest key above `key`: the start of the next page. */
export function afterKey(key: Bytes): Uint8Array {
  return Buffer.concat([bytesOf('key', key, keyBytesMax), Buffer.of(0)])
}

/**
 * The smallest key above all keys with the prefix. A prefix of nothing but 0xff has no such key: the answer is empty,
 * which means no end.
 */
export function afterPrefix(prefix: Bytes): Uint8Array {
  const bytes = bytesOf('prefix', prefix, rangeBoundBytesMax)
  let length = bytes.length
  while (length > 0 && bytes[length - 1] === 0xff) length--
  const end = Uint8Array.from(bytes.subarray(0, length))
  if (length > 0) end[length - 1]!++
  return end
}

/** One command or query in bytes of its own: `encode(writePut, key, value)`. */
export function encode<Parts extends unknown[]>(
  write: (into: CommandSink, ...parts: Parts) => void,
  ...parts: Parts
): Uint8Array {
  const sink = {
    bytes: new Uint8Array(0),
    reserve(length: number): number {
      sink.bytes = new Uint8Array(length)
      return 0
    },
  }
  write(sink, ...parts)
  return sink.bytes
}

function writeKeyValue(into: CommandSink, op: number, key: Bytes, value: Bytes): void {
  const keyLength = lengthOfKey(key)
  const valueLength = lengthOfValue('value', value)
  const offset = writeOpAndKey(into, op, key, keyLength, valueLength)
  writeBytes(into.bytes, offset, value, valueLength)
}

/** Reserves the whole command, and returns the offset where the `rest` behind the key goes. */
function writeOpAndKey(into: CommandSink, op: number, key: Bytes, keyLength: number, rest: number): number {
  const offset = into.reserve(commandPrefixBytes + keyLength + rest)
  const bytes = into.bytes
  bytes[offset] = op
  writeUint16(bytes, offset + 1, keyLength)
  writeBytes(bytes, offset + commandPrefixBytes, key, keyLength)
  return offset + commandPrefixBytes + keyLength
}

/** A loop over a text of at most this many characters is quicker than the call of a built-in. */
const shortText = 40

function writeBytes(into: Uint8Array, offset: number, from: Bytes, length: number): void {
  if (typeof from !== 'string') return into.set(from, offset)
  // A text with as many bytes as characters is ASCII. Writing it as Latin-1 takes half the time.
  const isAscii = length === from.length
  if (!isAscii || length > shortText) {
    bufferOf(into).write(from, offset, length, isAscii ? 'latin1' : 'utf8')
    return
  }
  for (let at = 0; at < length; at++) into[offset + at] = from.charCodeAt(at)
}

/** Bytes of the text in UTF-8; refuses a lone surrogate. */
function byteLengthOf(what: string, text: string): number {
  const { length } = text
  const bytes = length > shortText || hasNonAscii(text) ? Buffer.byteLength(text) : length
  // A text with as many bytes as characters is ASCII, and so it holds no surrogate.
  if (bytes !== length && !text.isWellFormed()) {
    throw invalid(what, 'well-formed text, or a Uint8Array for any bytes', 'text with a lone surrogate')
  }
  return bytes
}

function hasNonAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= 0x80) return true
  return false
}

function bytesOf(what: string, from: Bytes, max: number): Buffer {
  lengthWithin(what, from, 0, max)
  return Buffer.from(from as string)
}

function lengthOfKey(key: Bytes): number {
  return lengthWithin('key', key, 1, keyBytesMax)
}

function lengthOfValue(what: string, value: Bytes): number {
  return lengthWithin(what, value, 0, valueBytesMax)
}

function lengthWithin(what: string, from: Bytes, min: number, max: number): number {
  if (typeof from !== 'string' && !isBytes(from)) {
    throw invalid(what, 'a string or a Uint8Array', from === null ? 'null' : typeof from)
  }
  const length = typeof from === 'string' ? byteLengthOf(what, from) : lengthOfBytes(from)
  if (length < min || length > max) throw invalid(what, `${min} to ${max} bytes`, `${length} bytes`)
  return length
}

function invalid(what: string, expected: string, actual: string): RaftError {
  return new RaftError('INVALID_COMMAND', { what, expected, actual })
}
