/**
 * The way out over a connection: answers of unary calls, and whole frames of whoever else speaks there. DATA waits until
 * the client's windows have room for it. All that a turn makes leaves in one write.
 */
import type { Duplex } from 'node:stream'
import { endAfter } from '../patience.js'
import {
  ConnectionError,
  codes,
  firstWindow,
  flags,
  frame,
  frameHeadBytes,
  payloadBytesMax,
  rstStream,
  types,
  windowMax,
  writeHead,
  writeId,
} from './frames.js'
import { encodeHeaders } from './hpack.js'

/** Of gRPC: before each message, whether it is compressed, and its length. */
export const messageHeadBytes = 5

const contentType = { name: 'content-type', value: 'application/grpc' }
const status200 = { name: ':status', value: '200' }

const noBytes = Buffer.alloc(0)

/** A whole answer in one piece is its body between these two. */
const answerHead = frame(types.headers, flags.endHeaders, 0, encodeHeaders([status200, contentType]))
const answerTail = frame(
  types.headers,
  flags.endHeaders | flags.endStream,
  0,
  encodeHeaders([{ name: 'grpc-status', value: '0' }]),
)
const beforeBody = answerHead.length + frameHeadBytes + messageHeadBytes
const aroundBody = beforeBody + answerTail.length

/** Milliseconds in which the client is to read the last bytes of a connection. */
const lastWriteMs = 10_000
/**
 * Bytes that wait for a client that does not read. Beyond them nothing more is read from it, either. A turn that makes as
 * many sends no more DATA: what the windows have room for may be 2 GiB.
 */
const waitingBytesMax = 1 << 20

/** Bytes of answers for which a client's windows have no room. Beyond them it is refused. */
const longBytesMax = 256 << 20

/** A stream on which one call is answered. */
export interface AnswerStream {
  readonly streamId: number
  /** Bytes of DATA that the client takes on this stream. */
  window: number
  /** The client has given the call up. */
  isReset: boolean
}

/** An error as the answer of a call: a code of gRPC, and its text. */
export interface Refusal {
  readonly code: number
  readonly details: string
}

/** An answer that the windows have no room for at once. */
interface LongAnswer {
  readonly stream: AnswerStream
  /** The message with its head. */
  readonly bytes: Buffer
  sent: number
}

/** Frames of somebody else, which keep their order. */
interface Passing {
  readonly bytes: Buffer
  readonly dataBytes: number
  /** Called once the bytes have left. */
  readonly left: () => void
}

export class Outlet {
  readonly #connection: Duplex
  readonly #answered: (streamId: number) => void
  /** Bytes that leave at the end of this turn: a body with its stream, or frames without one. */
  #bodies: Buffer[] = []
  #streamIds: number[] = []
  /** Bytes of `#bodies`, without what stands around them. */
  #turnBytes = 0
  #isEnding = false
  #window = firstWindow
  #isFull = false
  #isLast = false
  readonly #long = new Set<LongAnswer>()
  #longBytes = 0
  readonly #passing: Passing[] = []
  /** A passing frame has left: the next room is a long answer's. */
  #isLongNext = false

  /** `answered` is called once all of an answer has left. */
  constructor(connection: Duplex, answered: (streamId: number) => void) {
    this.#connection = connection
    this.#answered = answered
    connection.on('drain', () => this.#drained())
  }

  /** Answers that wait take more memory than one connection is given. */
  get isOverfull(): boolean {
    return this.#longBytes > longBytesMax
  }

  /** Frames that no window bounds. */
  send(frames: Buffer): void {
    this.#add(0, frames)
  }

  /** Answers a call: its response, and that it went well. */
  answer(stream: AnswerStream, body: Buffer): void {
    const bytes = messageHeadBytes + body.length
    const hasRoom = !this.#isBusy && bytes <= stream.window && bytes <= this.#window
    if (hasRoom && bytes <= payloadBytesMax && this.#passing.length === 0) {
      this.#window -= bytes
      this.#add(stream.streamId, body)
      return this.#answered(stream.streamId)
    }
    const message = Buffer.allocUnsafe(bytes)
    message[0] = 0
    message.writeUInt32BE(body.length, 1)
    message.set(body, messageHeadBytes)
    this.send(withId(answerHead, stream.streamId))
    this.#long.add({ stream, bytes: message, sent: 0 })
    this.#longBytes += bytes
    this.#goOn()
  }

  /** Answers a call by an error alone. A client that has not ended its request is told to stop. */
  refuse(streamId: number, hasEnded: boolean, { code, details }: Refusal): void {
    const headers = [
      status200,
      contentType,
      { name: 'grpc-status', value: String(code) },
      { name: 'grpc-message', value: percentEncoded(details) },
    ]
    this.send(frame(types.headers, flags.endHeaders | flags.endStream, streamId, encodeHeaders(headers)))
    if (!hasEnded) this.send(rstStream(streamId, codes.noError))
  }

  /** Frames of somebody else, `dataBytes` of which count against the connection's window. */
  pass(bytes: Buffer, dataBytes: number, left: () => void): void {
    this.#passing.push({ bytes, dataBytes, left })
    this.#goOn()
  }

  /** The client takes more on the connection. */
  widen(bytes: number): void {
    this.#window += bytes
    if (this.#window > windowMax) throw new ConnectionError(codes.flowControlError, 'a window is too wide')
    this.#goOn()
  }

  /** A stream's window has changed, or nobody waits for its answer any more. */
  changed(): void {
    if (this.#long.size > 0) this.#goOn()
  }

  /** Ends the connection once all of this turn has left. */
  end(): void {
    this.send(noBytes)
    this.#isLast = true
    this.#long.clear()
    this.#passing.length = 0
  }

  /** Neither the connection nor this turn takes more DATA. */
  get #isBusy(): boolean {
    return this.#isFull || this.#turnBytes > waitingBytesMax
  }

  /**
   * While a frame that passes waits for the window, one long answer sends one frame after each frame that passes: neither
   * starves the other.
   */
  #goOn(): void {
    if (this.#isLast) return
    while (!this.#isBusy) {
      const head = this.#passing[0]
      if (head === undefined) {
        for (const answer of this.#long) this.#sendSome(answer, answer.bytes.length)
        return
      }
      if (this.#isLongNext && head.dataBytes > 0) {
        this.#isLongNext = false
        this.#sendOneLong()
      } else if (head.dataBytes > this.#window) return
      else this.#passOn(head)
    }
  }

  /** One frame of the first long answer that its stream has room for. */
  #sendOneLong(): void {
    for (const answer of this.#long) if (this.#sendSome(answer, payloadBytesMax) > 0) return
  }

  #passOn({ bytes, dataBytes, left }: Passing): void {
    this.#passing.shift()
    this.#window -= dataBytes
    if (dataBytes > 0) this.#isLongNext = true
    this.send(bytes)
    left()
  }

  /** Sends what the windows have room for, `bytesMax` at most, and returns how much. */
  #sendSome(answer: LongAnswer, bytesMax: number): number {
    const { stream, bytes } = answer
    const start = answer.sent
    const end = Math.min(bytes.length, start + bytesMax)
    while (!stream.isReset && answer.sent < end) {
      const room = Math.min(payloadBytesMax, stream.window, this.#window, end - answer.sent)
      if (room <= 0 || this.#isBusy) return answer.sent - start
      this.send(frame(types.data, 0, stream.streamId, bytes.subarray(answer.sent, answer.sent + room)))
      stream.window -= room
      this.#window -= room
      answer.sent += room
    }
    if (!stream.isReset && answer.sent < bytes.length) return answer.sent - start
    this.#long.delete(answer)
    this.#longBytes -= bytes.length
    if (stream.isReset) return 0
    this.send(withId(answerTail, stream.streamId))
    this.#answered(stream.streamId)
    return answer.sent - start
  }

  #add(streamId: number, bytes: Buffer): void {
    if (!this.#isEnding) {
      this.#isEnding = true
      // After the promises of this turn: the answers that came together leave together.
      process.nextTick(() => this.#leave())
    }
    this.#streamIds.push(streamId)
    this.#bodies.push(bytes)
    this.#turnBytes += bytes.length
  }

  #leave(): void {
    const bodies = this.#bodies
    const streamIds = this.#streamIds
    const wasBusy = this.#isBusy
    this.#isEnding = false
    this.#turnBytes = 0
    this.#bodies = []
    this.#streamIds = []
    let length = 0
    for (let at = 0; at < bodies.length; at++) {
      length += bodies[at]!.length + (streamIds[at] === 0 ? 0 : aroundBody)
    }
    const bytes = Buffer.allocUnsafe(length)
    let end = 0
    for (let at = 0; at < bodies.length; at++) {
      const body = bodies[at]!
      const streamId = streamIds[at]!
      if (streamId === 0) bytes.set(body, end)
      else writeAnswer(bytes, end, streamId, body)
      end += body.length + (streamId === 0 ? 0 : aroundBody)
    }
    this.#connection.write(bytes)
    if (this.#isLast) return this.#close()
    if (this.#isFull) return
    if (this.#connection.writableLength >= waitingBytesMax) {
      this.#isFull = true
      this.#connection.pause()
    } else if (wasBusy) setImmediate(() => this.#goOn())
  }

  /** A client that does not read would hold the connection for good. */
  #close(): void {
    const connection = this.#connection
    endAfter(connection, lastWriteMs)
    connection.end(() => connection.destroy())
  }

  #drained(): void {
    if (!this.#isFull) return
    this.#isFull = false
    this.#connection.resume()
    this.#goOn()
  }
}

function writeAnswer(into: Buffer, start: number, streamId: number, body: Buffer): void {
  into.set(answerHead, start)
  writeId(into, start, streamId)
  const dataAt = start + answerHead.length
  writeHead(into, dataAt, messageHeadBytes + body.length, types.data, 0, streamId)
  const messageAt = dataAt + frameHeadBytes
  into[messageAt] = 0
  into.writeUInt32BE(body.length, messageAt + 1)
  into.set(body, messageAt + messageHeadBytes)
  const tailAt = start + beforeBody + body.length
  into.set(answerTail, tailAt)
  writeId(into, tailAt, streamId)
}

function withId(template: Buffer, streamId: number): Buffer {
  const bytes = Buffer.from(template)
  writeId(bytes, 0, streamId)
  return bytes
}

/** As gRPC writes a text into a header. */
function percentEncoded(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^ -$&-~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
