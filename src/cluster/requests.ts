/** The calls of one turn, packed into requests: commands in one frame, queries in another. */
import type { RaftError } from '../errors/index.js'
import { type Frame, FrameBuilder, type LogIndex } from '../raft/index.js'

/** The results of one call's commands, one after the other. */
export interface ResultCursor {
  readonly bytes: Uint8Array
  /** Where the present result lies. */
  readonly start: number
  readonly end: number
  /** Goes to the next result. */
  advance(): void
  skip(count: number): void
}

/** One call: its place in a frame, and what to do with the outcome. Settled exactly once. */
export interface Call {
  /** Commands or queries that it put in the frame. */
  readonly count: number
  /** The cursor stands before the call's first result, and after its last one when this returns. */
  applied(results: ResultCursor, index: LogIndex): void
  failed(error: RaftError): void
}

/** A frame and its calls, from the turn that made it until it is settled. */
export interface Request {
  readonly id: number
  readonly type: 'propose' | 'read'
  /** Replaced by the copy that a refusal brings back. */
  frame: Frame
  readonly byteLength: number
  readonly calls: readonly Call[]
  readonly deadlineMs: number
  /** The node it was sent to; `undefined` while it waits here. */
  sentTo: number | undefined
  isSettled: boolean
}

/** Bytes after which a frame is closed and another begun. A single call may be larger, up to `callBytesMax`. */
const frameBytesMax = 256 << 10
/** Bytes of the commands of one call. */
export const callBytesMax = 1 << 20

/** Collects calls into frames. */
export class RequestPacker {
  readonly #type: Request['type']
  readonly #builder = new FrameBuilder()
  #calls: Call[] = []

  constructor(type: Request['type']) {
    this.#type = type
  }

  get isEmpty(): boolean {
    return this.#calls.length === 0
  }

  get isFull(): boolean {
    return this.#builder.byteLength >= frameBytesMax
  }

  /** Adds a call whose `write` puts its commands in the frame; when it throws, it has written nothing. */
  add(call: Call, write: (frame: FrameBuilder) => void): void {
    write(this.#builder)
    this.#calls.push(call)
  }

  take(id: number, deadlineMs: number): Request {
    const frame = this.#builder.take()
    const calls = this.#calls
    this.#calls = []
    const { byteLength } = frame.bytes
    return { id, type: this.#type, frame, byteLength, calls, deadlineMs, sentTo: undefined, isSettled: false }
  }
}

/** Walks the packed results of a message. */
export class Results implements ResultCursor {
  readonly bytes: Uint8Array
  start = 0
  end = 0
  readonly #view: DataView

  /** The first result begins at `from`. */
  constructor(bytes: Uint8Array, from = 0) {
    this.bytes = bytes
    this.end = from
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  advance(): void {
    this.start = this.end + Uint32Array.BYTES_PER_ELEMENT
    this.end = this.start + this.#view.getUint32(this.end, true)
  }

  skip(count: number): void {
    for (let i = 0; i < count; i++) this.advance()
  }
}

export function failAll(request: Request, error: RaftError): void {
  for (const call of request.calls) call.failed(error)
}
