/** The bytes of watch responses: events are written once, however many watchers they go to. */
import { Memory } from '../../machine/index.js'
import {
  bigintFieldBytes,
  bytesFieldBytes,
  fieldOf,
  numberFieldBytes,
  type Span,
  Writer,
} from '../../mvcc/index.js'

const event = { type: 1, kv: 2, prevKv: 3 } as const
const response = {
  watchId: 2,
  created: 3,
  canceled: 4,
  compactRevision: 5,
  cancelReason: 6,
  fragment: 7,
  events: 11,
} as const

/** A part of a response. Parts live shortly, so that their memory comes from Node's pool. */
function partOf(length: number, write: (writer: Writer) => void): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  write(new Writer(new Memory(bytes)))
  return bytes
}

/** An event, as field `events` of a response. Its key-values lie in `memory`; a `prevKv` without bytes is none. */
export function eventBytes(isDelete: boolean, memory: Memory, kv: Span, prevKv: Span): Buffer {
  const kvBytes = kv.end - kv.start
  const prevBytes = prevKv.end - prevKv.start
  const bodyBytes =
    numberFieldBytes(isDelete ? 1 : 0) +
    bytesFieldBytes(kvBytes) +
    (prevBytes === 0 ? 0 : bytesFieldBytes(prevBytes))
  return partOf(bytesFieldBytes(bodyBytes), (writer) => {
    writer.bytesHead(response.events, bodyBytes)
    writer.boolField(event.type, isDelete)
    writer.bytesHead(event.kv, kvBytes)
    writer.bytes(memory, kv.start, kv.end)
    if (prevBytes === 0) return
    writer.bytesHead(event.prevKv, prevBytes)
    writer.bytes(memory, prevKv.start, prevKv.end)
  })
}

/** The id of a watch as field `watch_id`. Protobuf leaves out what is 0. */
export function watchIdBytes(id: string): Buffer {
  const number = BigInt(id)
  return partOf(bigintFieldBytes(number), (writer) => writer.bigintField(response.watchId, number))
}

function trueField(field: number): Buffer {
  return partOf(numberFieldBytes(1), (writer) => writer.boolField(field, true))
}

export const created = trueField(response.created)
export const canceled = trueField(response.canceled)
export const fragment = trueField(response.fragment)

export function compactRevisionBytes(revision: number): Buffer {
  return partOf(numberFieldBytes(revision), (writer) =>
    writer.numberField(response.compactRevision, revision),
  )
}

export function cancelReasonBytes(reason: string): Uint8Array {
  return fieldOf(response.cancelReason, Buffer.from(reason))
}
