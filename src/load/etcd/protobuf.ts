/** The few messages of etcd's API that a load needs, written and read without a library: it would cost as much as a call. */

/** Wire type 2: a length, and so many bytes. */
const bytesField = (number: number): number => (number << 3) | 2
/** Bits of a number that one byte of a varint holds. */
const varintBits = 7
const moreFollows = 0x80

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
  for (const [, content] of fields) {
    const bytes = lengthOf(content)
    length += 1 + varintLength(bytes) + bytes
  }
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const [number, content] of fields) {
    bytes[at] = bytesField(number)
    at = writeVarint(bytes, at + 1, lengthOf(content))
    if (typeof content === 'string') at += bytes.write(content, at)
    else {
      bytes.set(content, at)
      at += content.byteLength
    }
  }
  return bytes
}

function lengthOf(content: string | Uint8Array): number {
  return typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength
}

function varintLength(value: number): number {
  let length = 1
  for (let rest = value >>> varintBits; rest > 0; rest >>>= varintBits) length++
  return length
}

function writeVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  for (; rest >= moreFollows; rest >>>= varintBits) bytes[at++] = (rest & (moreFollows - 1)) | moreFollows
  bytes[at++] = rest
  return at
}

/** A field of a message: a number, or bytes. */
export interface Field {
  readonly number: number
  readonly value: bigint | Buffer
}

/** Throws when the bytes are no message. */
export function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += BigInt(varintBits)) {
      const byte = bytes[at++]
      if (byte === undefined) throw new RangeError('a number has no end')
      value |= BigInt(byte & (moreFollows - 1)) << shift
      if (byte < moreFollows) return value
    }
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const number = tag >>> 3
    if ((tag & 7) === 0) fields.push({ number, value: varint() })
    else if ((tag & 7) === 2) {
      const end = Number(varint()) + at
      fields.push({ number, value: bytes.subarray(at, end) })
      at = end
    } else throw new RangeError(`field ${number} has a type that the API does not use`)
  }
  return fields
}

/** The term that a response's header tells: field 4 of field 1. */
export function termOf(response: Buffer): number {
  const header = fieldsOf(response).find(({ number }) => number === 1)?.value
  if (!Buffer.isBuffer(header)) throw new RangeError('a response has no header')
  const term = fieldsOf(header).find(({ number }) => number === 4)?.value
  return Number(term ?? 0)
}
