/**
 * The other end of a connection whose client is served in two places: what is here looks to gRPC's server like a client
 * of its own. Frames go in and out as they are. What belongs to the connection as a whole, its settings and its window,
 * ends here.
 */
import { Duplex } from 'node:stream'
import {
  ConnectionError,
  codes,
  type Frame,
  FrameReader,
  firstWindow,
  flags,
  preface,
  settings,
  settingsAck,
  settingsFrame,
  types,
  wholeOf,
  windowUpdate,
} from './frames.js'

export interface SpurOptions {
  /** Settings of the client so far. */
  readonly settings: ReadonlyMap<number, number>
  /** A frame for the client, and all of it that must leave together. */
  pass(frame: Frame, bytes: Buffer): void
  /** gRPC's server has closed the connection. */
  ended(): void
}

/** A stream that gRPC's server serves. */
export interface SpurStream {
  /** The stream is over for both sides: frames of it that wait are dropped. */
  isReset: boolean
}

interface Waiting {
  readonly stream: SpurStream
  readonly bytes: Buffer
  /** Bytes that count against the window. */
  readonly dataBytes: number
  readonly delivered: () => void
}

/**
 * Bytes of frames that wait for gRPC's server. The client's window bounds the DATA among them; this bounds their number,
 * and the headers that end requests.
 */
const waitingBytesMax = 16 << 20
/** Memory of a frame that waits, beside its bytes. */
const overheadBytes = 64

export class Spur extends Duplex {
  readonly #options: SpurOptions
  readonly #frames: FrameReader
  /** Bytes of DATA that gRPC's server takes. */
  #window = firstWindow
  #waiting: Waiting[] = []
  /** Frames at the beginning of `#waiting` that have left it. */
  #gone = 0
  #waitingBytes = 0
  #told: Buffer[] = []
  /** A block of headers that goes on in further frames. */
  #headers: { readonly first: Frame; readonly frames: Buffer[] } | undefined

  constructor(options: SpurOptions) {
    super()
    this.#options = options
    this.#frames = new FrameReader((each) => this.#from(each))
    this.on('error', () => undefined)
    this.#tell(preface)
    this.set(options.settings)
  }

  /** The client has set something. Without a table, each block of headers that comes back stands alone. */
  set(values: ReadonlyMap<number, number>): void {
    this.#tell(settingsFrame(new Map([...values, [settings.headerTableSize, 0]])))
  }

  /** A frame of the client that no window bounds. */
  send(bytes: Buffer): void {
    this.#tell(bytes)
  }

  /**
   * A frame that keeps its place behind the stream's DATA. `delivered` is called once gRPC's server has had room for the
   * frame, or the stream is reset.
   */
  sendData(stream: SpurStream, bytes: Buffer, dataBytes: number, delivered: () => void): void {
    this.#waiting.push({ stream, bytes, dataBytes, delivered })
    this.#waitingBytes += overheadBytes + bytes.length
    this.#goOn()
    if (this.#waitingBytes > waitingBytesMax) {
      throw new ConnectionError(codes.enhanceYourCalm, 'too many frames wait')
    }
  }

  /** The client resets a stream by this frame. */
  reset(stream: SpurStream, bytes: Buffer): void {
    stream.isReset = true
    this.#tell(bytes)
    this.#goOn()
  }

  /** The bytes have left to the client: gRPC's server may send as many again. */
  credit(bytes: number): void {
    if (bytes > 0) this.#tell(windowUpdate(0, bytes))
  }

  override _read(): void {}

  /** Node's HTTP/2 must not be given bytes while it writes some: what is told here reaches it in a turn of its own. */
  #tell(bytes: Buffer): void {
    this.#told.push(bytes)
    if (this.#told.length > 1) return
    setImmediate(() => {
      const told = Buffer.concat(this.#told)
      this.#told = []
      if (!this.destroyed) this.push(told)
    })
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, written: (error?: Error | null) => void): void {
    this.#frames.read(bytes)
    written()
  }

  override _final(ended: (error?: Error | null) => void): void {
    this.#options.ended()
    ended()
  }

  override _destroy(error: Error | null, destroyed: (error?: Error | null) => void): void {
    this.#options.ended()
    destroyed(error)
  }

  #from(each: Frame): void {
    if (each.type === types.settings) {
      if ((each.flags & flags.ack) === 0) this.#tell(settingsAck())
    } else if (each.type === types.windowUpdate && each.streamId === 0) {
      this.#window += each.bytes.readUInt32BE(each.start)
      this.#goOn()
    } else if (each.type === types.headers || each.type === types.continuation) this.#fromHeaders(each)
    else this.#options.pass(each, wholeOf(each))
  }

  /** No frame may come between those of one block: they leave together. */
  #fromHeaders(each: Frame): void {
    const begun = this.#headers ?? { first: each, frames: [] }
    this.#headers = begun
    begun.frames.push(wholeOf(each))
    if ((each.flags & flags.endHeaders) === 0) return
    this.#headers = undefined
    this.#options.pass(begun.first, Buffer.concat(begun.frames))
  }

  #goOn(): void {
    for (; this.#gone < this.#waiting.length; this.#gone++) {
      const { stream, bytes, dataBytes, delivered } = this.#waiting[this.#gone]!
      if (!stream.isReset) {
        if (dataBytes > this.#window) break
        this.#window -= dataBytes
        this.#tell(bytes)
      }
      this.#waitingBytes -= overheadBytes + bytes.length
      delivered()
    }
    // A single move of the rest for as many frames that left: a shift for each would move a long rest each time.
    if (2 * this.#gone < this.#waiting.length) return
    this.#waiting = this.#waiting.slice(this.#gone)
    this.#gone = 0
  }
}
