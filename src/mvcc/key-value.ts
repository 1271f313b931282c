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

export function readKeyValue(memory: Memory, start: number, length: number): KeyValue {
  const reader = new Reader(memory, start, start + length)
  const key = keyStart(memory, start)
  const keyValue = {
    key: { start: key, end: key + keyLength(memory, start) },
    createRevision: 0,
    modRevision: 0,
    version: 0,
    value: { start: 0, end: 0 },
    lease: 0n,
  }
  while (reader.next()) {
    if (reader.field === fields.createRevision) keyValue.createRevision = reader.int64()
    else if (reader.field === fields.modRevision) keyValue.modRevision = reader.int64()
    else if (reader.field === fields.version) keyValue.version = reader.int64()
    else if (reader.field === fields.value) keyValue.value = reader.bytes()
    else if (reader.field === fields.lease) keyValue.lease = reader.bigint()
    else reader.skip()
  }
  return keyValue
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
