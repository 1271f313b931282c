/** The few messages of etcd's API that a load needs, written and read without a library: it would cost as much as a call. */
import { Memory } from '../../machine/index.js'
import { bytesFieldBytes, Reader, Writer } from '../../mvcc/index.js'

/** `PutRequest`. */
export function putRequest(key: string | Uint8Array, value: string | Uint8Array): Buffer {
  return message([
    [1, key],
    [2, value],
  ])
}

/** `RangeRequest` for one key. */
export function getRequest(key: string | Uint8Array): Buffer {
  return message([[1, key]])
}

/** `TxnRequest` without a comparison: all the puts, in one transaction. */
export function txnRequest(puts: readonly Uint8Array[]): Buffer {
  // Field 2 of a `TxnRequest` is a `RequestOp`, whose field 2 is a `PutRequest`.
  return message(puts.map((put) => [2, message([[2, put]])]))
}

function message(fields: readonly (readonly [number: number, content: string | Uint8Array])[]): Buffer {
  let length = 0
  for (const [, content] of fields) length += bytesFieldBytes(lengthOf(content))
  const bytes = Buffer.allocUnsafe(length)
  const writer = new Writer(new Memory(bytes))
  for (const [number, content] of fields) {
    const contentBytes = lengthOf(content)
    writer.bytesHead(number, contentBytes)
    if (typeof content === 'string') bytes.write(content, writer.at)
    else bytes.set(content, writer.at)
    writer.at += contentBytes
  }
  return bytes
}

function lengthOf(content: string | Uint8Array): number {
  return typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength
}

/** The members in a `MemberListResponse`, each of which is a field 2. */
export function membersIn(response: Buffer): number {
  const reader = new Reader(new Memory(response))
  let count = 0
  for (; reader.next(); reader.skip()) if (reader.field === 2) count++
  if (reader.failed) throw new RangeError('an answer is no list of members')
  return count
}

/** The term that a response's header tells: field 4 of field 1. */
export function termOf(response: Buffer): number {
  const reader = new Reader(new Memory(response))
  let term: number | undefined
  while (reader.next()) {
    if (reader.field === 1) term = reader.message(termIn)
    else reader.skip()
  }
  if (reader.failed || term === undefined) throw new RangeError('a response has no header')
  return term
}

function termIn(reader: Reader): number {
  let term = 0
  while (reader.next()) {
    if (reader.field === 4) term = reader.int64()
    else reader.skip()
  }
  return term
}
