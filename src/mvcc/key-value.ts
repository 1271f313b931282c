/** `KeyValue` as etcd stores it: fields in the order of their numbers, zeros left out. */
import type { Memory } from '../machine/index.js'
import {
  bigintFieldBytes,
  bytesFieldBytes,
  numberFieldBytes,
  Reader,
  type Span,
  varintBytes,
  type Writer,
} from './wire.js'

export interface KeyValue {
  readonly key: Span
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
  readonly value: Span
  readonly lease: bigint
}

const fields = { key: 1, createRevision: 2, modRevision: 3, version: 4, value: 5, lease: 6 } as const

/** Reads a message that `writeKeyValue` wrote: each number takes as few bytes as it can. */
export function readKeyValue(memory: Memory, start: number, length: number): KeyValue {
  const { bytes } = memory
  const end = start + length
  const key = keyStart(memory, start)
  let at = key + keyLength(memory, start)
  const keyValue = {
    key: { start: key, end: at },
    createRevision: 0,
    modRevision: 0,
    version: 0,
    value: { start: 0, end: 0 },
    lease: 0n,
  }
  while (at < end) {
    const field = bytes[at]! >>> 3
    if (field === fields.lease) {
      const reader = new Reader(memory, at, end)
      if (reader.next()) keyValue.lease = reader.bigint()
      break
    }
    const number = varintAt(bytes, at + 1)
    at += 1 + varintBytes(number)
    if (field === fields.createRevision) keyValue.createRevision = number
    else if (field === fields.modRevision) keyValue.modRevision = number
    else if (field === fields.version) keyValue.version = number
    else {
      keyValue.value = { start: at, end: at + number }
      at += number
    }
  }
  return keyValue
}

function varintAt(bytes: Uint8Array, start: number): number {
  let at = start
  let value = bytes[at]! & 0x7f
  for (let scale = 0x80; bytes[at]! >= 0x80; scale *= 0x80) value += (bytes[++at]! & 0x7f) * scale
  return value
}

export type NewKeyValue = Omit<KeyValue, 'key' | 'value'> & {
  readonly keyLength: number
  readonly valueLength: number
}

export function keyValueBytes(from: NewKeyValue): number {
  return (
    bytesFieldBytes(from.keyLength) +
    numberFieldBytes(from.createRevision) +
    numberFieldBytes(from.modRevision) +
    numberFieldBytes(from.version) +
    (from.valueLength === 0 ? 0 : bytesFieldBytes(from.valueLength)) +
    bigintFieldBytes(from.lease)
  )
}

export function writeKeyValue(
  writer: Writer,
  from: NewKeyValue,
  key: { readonly memory: Memory; readonly start: number },
  value: { readonly memory: Memory; readonly start: number },
): void {
  writer.bytesHead(fields.key, from.keyLength)
  writer.bytes(key.memory, key.start, key.start + from.keyLength)
  writer.numberField(fields.createRevision, from.createRevision)
  writer.numberField(fields.modRevision, from.modRevision)
  writer.numberField(fields.version, from.version)
  if (from.valueLength > 0) {
    writer.bytesHead(fields.value, from.valueLength)
    writer.bytes(value.memory, value.start, value.start + from.valueLength)
  }
  writer.bigintField(fields.lease, from.lease)
}

/** The same message without its value takes this many bytes less. */
export function valueFieldBytes({ value }: KeyValue): number {
  const length = value.end - value.start
  return length === 0 ? 0 : 1 + varintBytes(length) + length
}

// A KeyValue begins with its key: one byte of tag, the length as a varint of 32 bits at most, the bytes.

export function keyStart({ bytes }: Memory, start: number): number {
  let at = start + 1
  while (bytes[at]! >= 0x80) at++
  return at + 1
}

export function keyLength({ bytes }: Memory, start: number): number {
  let at = start + 1
  let length = bytes[at]! & 0x7f
  for (let shift = 7; bytes[at]! >= 0x80; shift += 7) length |= (bytes[++at]! & 0x7f) << shift
  return length
}
