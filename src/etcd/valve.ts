/**
 * A connection of a client between two ways, from the client and to it. A shut way is to the client what a silent network
 * is: nothing is lost, nothing is told, and all goes on once it opens.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { preface } from './http2/frames.js'
import { type DelayOf, Way, waitingBytesMax } from './way.js'

type Done = (error?: Error | null) => void

/** The state of one way. */
export interface WayState {
  readonly isOpen: boolean
  readonly delayOf: DelayOf
}

export class Valve extends Duplex {
  readonly #socket: Socket
  readonly #begun: (isHttp2: boolean) => void
  readonly #from = new Way()
  readonly #to = new Way()
  /** The bytes by which the protocol is told apart. `undefined`: it is known. */
  #first: Buffer | undefined = Buffer.alloc(0)

  /** `begun` is called once the protocol of the client is known, before anything can be read here. */
  constructor(socket: Socket, begun: (isHttp2: boolean) => void) {
    super()
    this.#socket = socket
    this.#begun = begun
    // The end of a connection is told by `close`, whoever broke it.
    this.on('error', () => undefined)
    socket.on('error', () => undefined)
    socket.on('close', () => this.cut())
    socket.on('end', () => this.#from.pass(0, () => this.#ended()))
    socket.on('data', (bytes: Buffer) => {
      this.#from.pass(bytes.length, () => this.#heard(bytes))
      if (!this.#from.hasRoom) socket.pause()
    })
  }

  /** Opens, shuts or delays the ways from the client and to it. */
  set(from: WayState, to: WayState): void {
    this.#from.set(from.isOpen, from.delayOf)
    this.#to.set(to.isOpen, to.delayOf)
    if (from.isOpen) this.#socket.resume()
    else this.#socket.pause()
  }

  /** No fault keeps the client and the server apart. */
  get isOpen(): boolean {
    return this.#from.isOpen && this.#to.isOpen
  }

  /** Ends the connection at once, as the end of a process does, whether its ways are open or not. */
  cut(): void {
    this.#from.close()
    this.#to.close()
    this.#socket.destroy()
    this.destroy()
  }

  override _read(): void {
    if (this.#from.hasRoom) this.#socket.resume()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, written: Done): void {
    this.#tell(bytes.length, (done) => this.#socket.write(bytes, done), written)
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], written: Done): void {
    let byteLength = 0
    for (const { chunk } of chunks) byteLength += chunk.length
    const write = (done: Done): void => {
      this.#socket.cork()
      for (const [at, { chunk }] of chunks.entries())
        this.#socket.write(chunk, at === chunks.length - 1 ? done : undefined)
      this.#socket.uncork()
    }
    this.#tell(byteLength, write, written)
  }

  override _final(ended: Done): void {
    this.#to.pass(0, () => this.#socket.end(ended))
  }

  /** Behind a shut way the client does not hear of the end yet. */
  override _destroy(error: Error | null, destroyed: Done): void {
    this.#to.pass(0, () => this.#socket.destroy())
    destroyed(error)
  }

  /** Bytes that a fault delays count as written at once, so that the bytes behind them enter the delay as well. */
  #tell(byteLength: number, write: (done: Done) => void, written: Done): void {
    let [hasPassed, isAhead] = [false, false]
    this.#to.pass(byteLength, () => {
      hasPassed = true
      write(isAhead ? () => undefined : written)
    })
    // A client that does not read gets no more than this beside what is delayed.
    if (hasPassed || !this.#to.isDelayed || this.#socket.writableLength > waitingBytesMax) return
    isAhead = true
    written()
  }

  #heard(bytes: Buffer): void {
    const first = this.#first
    if (first === undefined) return this.#hand(bytes)
    const all = first.length === 0 ? bytes : Buffer.concat([first, bytes])
    const head = all.subarray(0, preface.length)
    const mayBeHttp2 = preface.subarray(0, head.length).equals(head)
    if (mayBeHttp2 && head.length < preface.length) {
      this.#first = all
      return
    }
    this.#first = undefined
    this.#begun(mayBeHttp2)
    this.#hand(all)
  }

  #hand(bytes: Buffer): void {
    if (!this.push(bytes)) this.#socket.pause()
  }

  #ended(): void {
    if (this.#first === undefined) this.push(null)
    else this.cut()
  }
}
