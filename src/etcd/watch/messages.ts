/** The bytes of watch responses: events are written once, however many watchers they go to. */

const eventType = 1
const eventKv = 2
const eventPrevKv = 3
const responseWatchId = 2
const responseCreated = 3
const responseCanceled = 4
const responseCompactRevision = 5
const responseCancelReason = 6
const responseFragment = 7
const responseEvents = 11

/** Wire types of protobuf. */
const varint = 0
const delimited = 2

const empty = Buffer.alloc(0)
const yes = Buffer.from([1])

/** A 64-bit number; negative ones take ten bytes. */
function varintOf(value: bigint | number): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

function lengthBytes(length: number): number {
  let bytes = 1
  for (let rest = length; rest > 0x7f; rest >>>= 7) bytes++
  return bytes
}

function writeDelimited(into: Buffer, start: number, field: number, body: Uint8Array): number {
  into[start] = (field << 3) | delimited
  let at = start + 1
  let rest = body.byteLength
  for (; rest > 0x7f; rest >>>= 7) into[at++] = (rest & 0x7f) | 0x80
  into[at++] = rest
  into.set(body, at)
  return at + body.byteLength
}

/** A field of bytes, text or a message. */
export function fieldBytes(field: number, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + lengthBytes(body.byteLength) + body.byteLength)
  writeDelimited(bytes, 0, field, body)
  return bytes
}

/** An event, as field `events` of a response. `prevKv` without bytes is none. */
export function eventBytes(isDelete: boolean, kv: Uint8Array, prevKv: Uint8Array): Buffer {
  const prevBytes = prevKv.byteLength === 0 ? 0 : 1 + lengthBytes(prevKv.byteLength) + prevKv.byteLength
  const body = Buffer.allocUnsafe(
    (isDelete ? 2 : 0) + 1 + lengthBytes(kv.byteLength) + kv.byteLength + prevBytes,
  )
  let at = 0
  if (isDelete) {
    body[at++] = (eventType << 3) | varint
    body[at++] = 1
  }
  at = writeDelimited(body, at, eventKv, kv)
  if (prevBytes > 0) writeDelimited(body, at, eventPrevKv, prevKv)
  return fieldBytes(responseEvents, body)
}

/** The id of a watch as field `watch_id`. Protobuf leaves out what is 0. */
export function watchIdBytes(id: string): Buffer {
  return numberField(responseWatchId, BigInt(id))
}

function numberField(field: number, value: bigint | number): Buffer {
  return BigInt(value) === 0n ? empty : Buffer.concat([Buffer.from([(field << 3) | varint]), varintOf(value)])
}

function trueField(field: number): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | varint]), yes])
}

export const created = trueField(responseCreated)
export const canceled = trueField(responseCanceled)
export const fragment = trueField(responseFragment)

export function compactRevisionBytes(revision: number): Buffer {
  return numberField(responseCompactRevision, revision)
}

export function cancelReasonBytes(reason: string): Buffer {
  return fieldBytes(responseCancelReason, Buffer.from(reason))
}
