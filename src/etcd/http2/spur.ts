/**
 * The other end of a connection whose client is served in two places: what is here looks to gRPC's server like a client
 * of its own. Frames go in and out as they are. What belongs to the connection as a whole, its settings and its window,
 * ends here.
 */
import { Duplex } from 'node:stream'
import {
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
  /** What the client has set so far. */
  readonly settings: ReadonlyMap<number, number>
  /** A frame for the client, and all of it that must leave together. */
  pass(frame: Frame, bytes: Buffer): void
  /** gRPC's server has closed the connection. */
  ended(): void
}

interface Waiting {
  readonly bytes: Buffer
  /** Bytes that count against the window. */
  readonly dataBytes: number
  readonly delivered: () => void
}

export class Spur extends Duplex {
  readonly #options: SpurOptions
  readonly #frames: FrameReader
  /** Bytes of DATA that gRPC's server takes. */
  #window = firstWindow
  readonly #waiting: Waiting[] = []
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

  /** `delivered` is called once gRPC's server has had room for the DATA. */
  sendData(bytes: Buffer, dataBytes: number, delivered: () => void): void {
    this.#waiting.push({ bytes, dataBytes, delivered })
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
    while (this.#waiting.length > 0 && this.#waiting[0]!.dataBytes <= this.#window) {
      const { bytes, dataBytes, delivered } = this.#waiting.shift()!
      this.#window -= dataBytes
      this.#tell(bytes)
      delivered()
    }
  }
}
