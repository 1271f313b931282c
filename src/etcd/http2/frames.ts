/** Frames of HTTP/2 (RFC 9113, section 6): what carries requests, answers and their bounds over a connection. */

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
export const frameHeadBytes = 9
/** The longest payload of a frame that either side sends unless it is told of another bound. */
export const payloadBytesMax = 16_384
/** Bytes that a connection, and each stream, may send before it is told of more. */
export const firstWindow = 65_535
export const windowMax = 2 ** 31 - 1

export const types = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const flags = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const

export const codes = {
  noError: 0,
  protocolError: 1,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const

export const settings = {
  headerTableSize: 1,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
} as const
/** A setting's number and its value. */
const settingBytes = 6

/** A fault of the client after which nothing of the connection makes sense. */
export class ConnectionError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const typesOfStreams: ReadonlySet<number> = new Set([
  types.data,
  types.headers,
  types.priority,
  types.rstStream,
  types.continuation,
])

/** Whether a frame of this type must name a stream. */
export function isOfStream(type: number): boolean {
  return typesOfStreams.has(type)
}

/** A window after DATA: a client that sends more than it may send ends its connection. */
export function narrowed(window: number, bytes: number): number {
  if (bytes > window)
    throw new ConnectionError(codes.flowControlError, 'more DATA than the window has room for')
  return window - bytes
}

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  /** The frame's payload is `bytes` from `start` to `end`, and its head lies before it. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

/** The lengths of types of frames that have one only. */
const lengths: ReadonlyMap<number, number> = new Map([
  [types.priority, 5],
  [types.rstStream, 4],
  [types.ping, 8],
  [types.windowUpdate, 4],
])

/** Cuts bytes, as they come, into frames. */
export class FrameReader {
  readonly #take: (frame: Frame) => void
  /** Bytes of a frame that is not whole, in the pieces in which they came: joined once, however many they are. */
  #pieces: Buffer[] = []
  #held = 0
  /** Held bytes with which the next frame, or its head, is whole. */
  #needed = frameHeadBytes

  constructor(take: (frame: Frame) => void) {
    this.#take = take
  }

  /** Throws a `ConnectionError` where a frame is longer than allowed. */
  read(chunk: Buffer): void {
    this.#pieces.push(chunk)
    this.#held += chunk.length
    if (this.#held < this.#needed) return
    const bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces)
    this.#needed = frameHeadBytes
    let at = 0
    while (bytes.length - at >= frameHeadBytes) {
      const length = bytes.readUIntBE(at, 3)
      if (length > payloadBytesMax) throw new ConnectionError(codes.frameSizeError, 'a frame is too long')
      const start = at + frameHeadBytes
      const end = start + length
      if (end > bytes.length) {
        this.#needed = end - at
        break
      }
      at = end
      const type = bytes[start - 6]!
      if (!hasLength(type, length)) throw new ConnectionError(codes.frameSizeError, 'no length of its type')
      this.#take({
        type,
        flags: bytes[start - 5]!,
        streamId: bytes.readUInt32BE(start - 4) & windowMax,
        bytes,
        start,
        end,
      })
    }
    this.#held = bytes.length - at
    this.#pieces = this.#held > 0 ? [bytes.subarray(at)] : []
  }
}

/** Whether a frame of this type may be so long. */
function hasLength(type: number, length: number): boolean {
  const only = lengths.get(type)
  return type === types.settings ? length % settingBytes === 0 : only === undefined || length === only
}

/** A whole frame, head included, in the memory of its connection's bytes. */
export function wholeOf({ bytes, start, end }: Frame): Buffer {
  return bytes.subarray(start - frameHeadBytes, end)
}

/** The payload of a frame that may be padded, and of a HEADERS frame that may name a priority. */
export function contentOf(frame: Frame): { readonly start: number; readonly end: number } {
  let { start, end } = frame
  if ((frame.flags & flags.padded) !== 0) {
    end -= frame.bytes[start] ?? 0
    start++
  }
  if (frame.type === types.headers && (frame.flags & flags.priority) !== 0) start += 5
  if (start > end) throw new ConnectionError(codes.protocolError, 'a frame is shorter than its padding')
  return { start, end }
}

export function writeHead(
  into: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  into[at] = length >>> 16
  into[at + 1] = length >>> 8
  into[at + 2] = length
  into[at + 3] = type
  into[at + 4] = flags
  writeId(into, at, streamId)
}

/** Writes the stream of the frame that begins at `at`. */
export function writeId(into: Uint8Array, at: number, streamId: number): void {
  into[at + 5] = streamId >>> 24
  into[at + 6] = streamId >>> 16
  into[at + 7] = streamId >>> 8
  into[at + 8] = streamId
}

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeadBytes + payload.length)
  writeHead(bytes, 0, payload.length, type, flags, streamId)
  bytes.set(payload, frameHeadBytes)
  return bytes
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return frame(types.windowUpdate, 0, streamId, numbers(increment))
}

export function rstStream(streamId: number, code: number): Buffer {
  return frame(types.rstStream, 0, streamId, numbers(code))
}

export function goAway(lastStreamId: number, code: number, why = ''): Buffer {
  return frame(types.goAway, 0, 0, Buffer.concat([numbers(lastStreamId, code), Buffer.from(why)]))
}

export function settingsFrame(values: ReadonlyMap<number, number>): Buffer {
  const payload = Buffer.alloc(settingBytes * values.size)
  for (const [at, [setting, value]] of [...values].entries()) {
    payload.writeUInt16BE(setting, settingBytes * at)
    payload.writeUInt32BE(value, settingBytes * at + 2)
  }
  return frame(types.settings, 0, 0, payload)
}

/** The values of a SETTINGS frame, by their settings. */
export function settingsIn({ bytes, start, end }: Frame): ReadonlyMap<number, number> {
  const values = new Map<number, number>()
  for (let at = start; at + settingBytes <= end; at += settingBytes) {
    values.set(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2))
  }
  return values
}

export function settingsAck(): Buffer {
  return frame(types.settings, flags.ack, 0, Buffer.alloc(0))
}

/** The HEADERS frame of a block, and the CONTINUATION frames of what does not fit into it. */
export function headerFrames(streamId: number, isLast: boolean, block: Buffer): Buffer[] {
  const frames: Buffer[] = []
  let at = 0
  do {
    const part = block.subarray(at, at + payloadBytesMax)
    const type = at === 0 ? types.headers : types.continuation
    at += payloadBytesMax
    const set =
      (at >= block.length ? flags.endHeaders : 0) | (type === types.headers && isLast ? flags.endStream : 0)
    frames.push(frame(type, set, streamId, part))
  } while (at < block.length)
  return frames
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length)
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, 4 * at)
  return bytes
}
