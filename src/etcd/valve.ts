/**
 * A connection of a client behind two valves, one for each direction. A shut valve is to the client what a silent network
 * is: nothing is lost, nothing is told, and all goes on once the valve opens.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** The first bytes of HTTP/2, which no request of HTTP/1.1 has. */
const prefaceOfHttp2 = Buffer.from('PRI ')

export class Valve extends Duplex {
  readonly #socket: Socket
  readonly #begun: (isHttp2: boolean) => void
  /** The bytes by which the protocol is told apart. `undefined`: it is known. */
  #first: Buffer | undefined = Buffer.alloc(0)
  #hears = true
  #speaks = true
  /** The end of the stream that came while nothing was heard. */
  #hasEnded = false
  /** What is to be done once the valve to the client opens: a stream has one write or end on its way at a time. */
  #held: (() => void) | undefined

  /** `begun` is called once the protocol of the client is known, before anything can be read here. */
  constructor(socket: Socket, begun: (isHttp2: boolean) => void) {
    super()
    this.#socket = socket
    this.#begun = begun
    // Whoever broke the connection, its end is told by `close`.
    this.on('error', () => undefined)
    socket.on('error', () => undefined)
    socket.on('close', () => this.destroy())
    socket.on('end', () => this.#ended())
    socket.on('data', (bytes: Buffer) => this.#heard(bytes))
  }

  /** False until the client has said which protocol it speaks. */
  get hasBegun(): boolean {
    return this.#first === undefined
  }

  get hears(): boolean {
    return this.#hears
  }

  /** Opens or shuts the way from the client, and the way to it. */
  set(hears: boolean, speaks: boolean): void {
    this.#hears = hears
    this.#speaks = speaks
    if (!hears) this.#socket.pause()
    else if (this.#hasEnded) this.#ended()
    else this.#socket.resume()
    if (!speaks) return
    const held = this.#held
    this.#held = undefined
    held?.()
  }

  /** Ends the connection at once, as the end of a process does, whether the valves are open or not. */
  cut(): void {
    this.#socket.destroy()
    this.destroy()
  }

  override _read(): void {
    if (this.#hears) this.#socket.resume()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, written: (error?: Error | null) => void): void {
    this.#speak(() => this.#socket.write(bytes, written))
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    written: (error?: Error | null) => void,
  ): void {
    this.#speak(() => {
      this.#socket.cork()
      for (const [at, { chunk }] of chunks.entries())
        this.#socket.write(chunk, at === chunks.length - 1 ? written : undefined)
      this.#socket.uncork()
    })
  }

  override _final(ended: (error?: Error | null) => void): void {
    this.#speak(() => this.#socket.end(ended))
  }

  /** Behind a shut valve the client does not hear of the end yet. */
  override _destroy(error: Error | null, destroyed: (error?: Error | null) => void): void {
    this.#held = undefined
    this.#speak(() => this.#socket.destroy())
    destroyed(error)
  }

  #speak(act: () => void): void {
    if (this.#speaks) act()
    else this.#held = act
  }

  #heard(bytes: Buffer): void {
    const first = this.#first
    if (first === undefined) {
      if (!this.push(bytes)) this.#socket.pause()
      return
    }
    const all = first.length === 0 ? bytes : Buffer.concat([first, bytes])
    const head = all.subarray(0, prefaceOfHttp2.length)
    const mayBeHttp2 = prefaceOfHttp2.subarray(0, head.length).equals(head)
    if (mayBeHttp2 && head.length < prefaceOfHttp2.length) {
      this.#first = all
      return
    }
    this.#first = undefined
    this.#begun(mayBeHttp2)
    if (!this.push(all)) this.#socket.pause()
  }

  #ended(): void {
    this.#hasEnded = true
    if (!this.#hears) return
    if (this.#first === undefined) this.push(null)
    else this.destroy()
  }
}
