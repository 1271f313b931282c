/** The calls that are answered beside gRPC's server: how they are told from all others, and what they carry. */
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { codes } from '../errors.js'
import { shortestTimerMs, timeoutOf } from '../timeouts.js'
import { firstWindow } from './frames.js'
import type { Header } from './hpack.js'
import { type AnswerStream, messageHeadBytes, type Refusal } from './outlet.js'

const noBytes = Buffer.alloc(0)
/** Characters of a refusal: a name of a client may be as long as all of its headers. */
const detailsMax = 1024
/** The answer to a call that has taken longer than its client allows. */
export const tooLate: Refusal = { code: codes.deadlineExceeded, details: 'Deadline exceeded' }

/** A method of gRPC that takes of a call its request alone. */
export type UnaryMethod = (
  call: Pick<ServerUnaryCall<Buffer, Buffer>, 'request' | 'metadata'>,
  callback: sendUnaryData<Buffer>,
) => void

/** All methods of the server, by their paths. `undefined`: gRPC's server serves the method. */
export type Methods = ReadonlyMap<string, UnaryMethod | undefined>

/** The meaning of a header for where its call is served: calls with nothing but the usual in them are served here. */
export interface CallHeader extends Header {
  readonly method: UnaryMethod | undefined
  readonly isForElsewhere: boolean
  /** Milliseconds that the client gives the call. */
  readonly timeoutMs: number | undefined
  /** The answer to a call with this header, whatever else is in it. */
  readonly refusal: Refusal | undefined
}

/** The meaning of all headers of a call. */
export interface CallHead {
  /** `undefined`: the call is served elsewhere. */
  readonly method: UnaryMethod | undefined
  /** `undefined`: the client gives the call any time. */
  readonly timeoutMs: number | undefined
  /** The answer to the call, before its request is read. */
  readonly refusal: Refusal | undefined
}

/** A call that is answered here. */
export interface Call extends AnswerStream {
  readonly method: UnaryMethod
  /** The end of the client's time, by `performance.now`. */
  readonly deadlineMs: number
  /** Memory of an unfinished request, of which `length` bytes have come: a message with its head. */
  bytes: Buffer
  length: number
  /** The length that the head of the message tells. `undefined`: the head has not come. */
  messageBytes: number | undefined
  /** Bytes of DATA that the client may send on the stream. */
  receiveWindow: number
  /** Since the client was told of room on the stream. */
  bytesTaken: number
  /** The client has sent all of its request. */
  hasEnded: boolean
  /** The method has not answered yet. */
  isDue: boolean
}

export function meaningOf(name: string, value: string, methods: Methods): CallHeader {
  const timeoutMs = name === 'grpc-timeout' ? timeoutOf(value) : undefined
  return {
    name,
    // Clients write there what is no authority, such as their whole list of endpoints. Nobody reads it, and gRPC's server
    // would refuse the call.
    value: name === ':authority' ? 'localhost' : value,
    method: name === ':path' ? methods.get(value) : undefined,
    isForElsewhere:
      (name === ':method' && value !== 'POST') ||
      (name === 'content-type' && !value.startsWith('application/grpc')) ||
      (name === 'grpc-timeout' && timeoutMs === undefined) ||
      name === 'hasleader',
    timeoutMs,
    refusal:
      timeoutMs !== undefined && timeoutMs < shortestTimerMs ? tooLate : refusalBy(name, value, methods),
  }
}

function refusalBy(name: string, value: string, methods: Methods): Refusal | undefined {
  if (name === ':path' && !methods.has(value)) return unknownPath(value, methods)
  // etcd reads no compressed request.
  if (name !== 'grpc-encoding' || value === 'identity' || value === '') return undefined
  const why = `grpc: Decompressor is not installed for grpc-encoding ${JSON.stringify(value)}`
  return refusal(codes.unimplemented, why)
}

/** etcd's answer to a path that no method has. */
function unknownPath(path: string, methods: Methods): Refusal {
  const name = path.startsWith('/') ? path.slice(1) : path
  const serviceEnd = name.lastIndexOf('/')
  if (serviceEnd < 0)
    return refusal(codes.resourceExhausted, `malformed method name: ${JSON.stringify(path)}`)
  const service = name.slice(0, serviceEnd)
  const isKnown = [...methods.keys()].some((each) => each.startsWith(`/${service}/`))
  if (!isKnown) return refusal(codes.unimplemented, `unknown service ${service}`)
  const method = name.slice(serviceEnd + 1)
  return refusal(codes.unimplemented, `unknown method ${method} for service ${service}`)
}

function refusal(code: number, details: string): Refusal {
  return { code, details: details.slice(0, detailsMax) }
}

/** The first header that refuses the call decides: a path comes before all other headers, and etcd looks at it first. */
export function headOf(headers: readonly CallHeader[]): CallHead {
  let method: UnaryMethod | undefined
  let timeoutMs: number | undefined
  let refusal: Refusal | undefined
  let isForElsewhere = false
  for (const header of headers) {
    isForElsewhere ||= header.isForElsewhere
    method ??= header.method
    timeoutMs ??= header.timeoutMs
    refusal ??= header.refusal
  }
  return { method: isForElsewhere ? undefined : method, timeoutMs, refusal }
}

export function newCall(
  streamId: number,
  method: UnaryMethod,
  window: number,
  deadlineMs = Number.POSITIVE_INFINITY,
): Call {
  return {
    streamId,
    method,
    deadlineMs,
    window,
    isReset: false,
    bytes: noBytes,
    length: 0,
    messageBytes: undefined,
    receiveWindow: firstWindow,
    bytesTaken: 0,
    hasEnded: false,
    isDue: false,
  }
}

/** Notes the length that the head of the message tells, once the head has come with these bytes. */
export function readHead(call: Call, bytes: Buffer, start: number, end: number): void {
  if (call.messageBytes !== undefined || call.length + end - start < messageHeadBytes) return
  const rest = bytes.subarray(start, start + messageHeadBytes - call.length)
  call.messageBytes = Buffer.concat([call.bytes.subarray(0, call.length), rest]).readUInt32BE(1)
}

/** The message between `start` and `end`. `undefined`: there is none, or more than one, or a compressed one. */
export function messageIn(bytes: Buffer, start: number, end: number): Buffer | undefined {
  const messageAt = start + messageHeadBytes
  if (messageAt > end || bytes[start] !== 0) return undefined
  return bytes.readUInt32BE(start + 1) === end - messageAt ? bytes.subarray(messageAt, end) : undefined
}
