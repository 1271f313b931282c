/** The streams of a connection that gRPC's server serves, over a spur that the first of them makes. */
import type { Duplex } from 'node:stream'
import {
  type Frame,
  firstWindow,
  flags,
  frameHeadBytes,
  headerFrames,
  narrowed,
  types,
  wholeOf,
} from './frames.js'
import { encodeHeaders, type Header } from './hpack.js'
import type { Outlet } from './outlet.js'
import { Spur, type SpurStream } from './spur.js'

export interface ElsewhereOptions {
  /** Settings of the client so far. */
  readonly settings: ReadonlyMap<number, number>
  /** The way to the client. */
  readonly outlet: Outlet
  /** gRPC's own server. */
  readonly serve: (spur: Duplex) => void
  /** DATA of the client has left to gRPC's server. */
  readonly taken: (bytes: number) => void
  /** gRPC's server sends the client something of a stream. */
  readonly answers: () => void
  readonly lastStreamId: () => number
  /** gRPC's server has closed its end. */
  readonly ended: () => void
}

/** A stream: who has ended it. */
interface Passed extends SpurStream {
  /** Bytes of DATA that the client may send on the stream. */
  receiveWindow: number
  clientHasEnded: boolean
  serverHasEnded: boolean
}

function newPassed(): Passed {
  return { receiveWindow: firstWindow, isReset: false, clientHasEnded: false, serverHasEnded: false }
}

const nothing = (): void => undefined

export class Elsewhere {
  readonly #options: ElsewhereOptions
  readonly #streams = new Map<number, Passed>()
  #spur: Spur | undefined

  constructor(options: ElsewhereOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#streams.size
  }

  has(streamId: number): boolean {
    return this.#streams.has(streamId)
  }

  /**
   * Headers begin a stream, or end its request. The first headers do not wait for room: the client's frames that no window
   * bounds may follow, and gRPC's server ends a connection that resets a stream which has not begun.
   */
  headers(streamId: number, isLast: boolean, headers: readonly Header[]): void {
    const begun = this.#streams.get(streamId)
    const stream = begun ?? newPassed()
    if (begun === undefined) this.#streams.set(streamId, stream)
    const spur = this.#open()
    for (const each of headerFrames(streamId, isLast, encodeHeaders(headers))) {
      if (begun === undefined) spur.send(each)
      else spur.sendData(stream, each, 0, nothing)
    }
    if (isLast) this.#clientEnded(streamId, stream)
  }

  /** `false`: the stream is not served here. */
  takesData(each: Frame): boolean {
    const stream = this.#streams.get(each.streamId)
    if (stream === undefined) return false
    const length = each.end - each.start
    stream.receiveWindow = narrowed(stream.receiveWindow, length)
    this.#spur?.sendData(stream, wholeOf(each), length, () => this.#options.taken(length))
    if ((each.flags & flags.endStream) !== 0) this.#clientEnded(each.streamId, stream)
    return true
  }

  /** The client resets the stream by this frame. */
  reset(streamId: number, whole: Buffer): void {
    const stream = this.#streams.get(streamId)
    if (stream === undefined) return
    this.#streams.delete(streamId)
    this.#spur?.reset(stream, whole)
  }

  /** A frame of the client that no window bounds. */
  send(each: Frame): void {
    this.#spur?.send(wholeOf(each))
  }

  set(values: ReadonlyMap<number, number>): void {
    this.#spur?.set(values)
  }

  close(): void {
    const spur = this.#spur
    this.#spur = undefined
    spur?.destroy()
  }

  #open(): Spur {
    if (this.#spur !== undefined) return this.#spur
    const spur = new Spur({
      settings: this.#options.settings,
      pass: (each, bytes) => this.#pass(each, bytes),
      ended: () => {
        if (this.#spur !== spur) return
        this.#spur = undefined
        this.#options.ended()
      },
    })
    this.#spur = spur
    this.#options.serve(spur)
    return spur
  }

  #clientEnded(streamId: number, stream: Passed): void {
    stream.clientHasEnded = true
    if (stream.serverHasEnded) this.#streams.delete(streamId)
  }

  /** A frame of gRPC's server, for the client. */
  #pass(each: Frame, bytes: Buffer): void {
    const isOfStream = each.type === types.data || each.type === types.headers
    const dataBytes = each.type === types.data ? each.end - each.start : 0
    const stream = this.#streams.get(each.streamId)
    // Each call that was begun here may still be answered.
    if (each.type === types.goAway) bytes.writeUInt32BE(this.#options.lastStreamId(), frameHeadBytes)
    else if (stream === undefined && each.streamId !== 0) return this.#spur?.credit(dataBytes)
    if (isOfStream) this.#options.answers()
    this.#options.outlet.pass(bytes, dataBytes, () => this.#spur?.credit(dataBytes))
    if (stream === undefined) return
    if (isOfStream && (each.flags & flags.endStream) !== 0) stream.serverHasEnded = true
    const isOver = stream.serverHasEnded && stream.clientHasEnded
    if (each.type === types.windowUpdate) stream.receiveWindow += each.bytes.readUInt32BE(each.start)
    if (each.type === types.rstStream) stream.isReset = true
    if (isOver || stream.isReset) this.#streams.delete(each.streamId)
  }
}
