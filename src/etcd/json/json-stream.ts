/** The JSON values of a body that comes in pieces: one after the other, with or without space between them. */
import { JsonError } from './messages.js'

export interface StreamBounds {
  /** Of one value, as it came. */
  readonly bytesMax: number
  /** Of lists and objects in each other. */
  readonly depthMax: number
}

/** A value of the stream is longer than it may be. */
export class JsonTooLong extends Error {}

const [quote, backslash] = [0x22, 0x5c]
const isOpening = (byte: number): boolean => byte === 0x7b || byte === 0x5b
const isClosing = (byte: number): boolean => byte === 0x7d || byte === 0x5d
const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)

/** Finds where values end. Whether they are JSON is for the parser to say. */
export class JsonStream {
  readonly #bounds: StreamBounds
  /** The value that has begun. */
  #pieces: Buffer[] = []
  #bytes = 0
  /** Of the value that has begun; 0: none has, or it is neither a list nor an object. */
  #depth = 0
  #state: 'between' | 'bare' | 'nested' | 'string' | 'escape' = 'between'

  constructor(bounds: StreamBounds) {
    this.#bounds = bounds
  }

  /** Takes a piece, and returns the values that end in it. */
  push(piece: Buffer): string[] {
    const values: string[] = []
    let start = 0
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!
      // A bare value ends before whatever begins the next one.
      if (this.#state === 'bare' && (isSpace(byte) || isOpening(byte) || byte === quote)) {
        values.push(this.#take(piece.subarray(start, at)))
      }
      if (this.#state === 'between') {
        start = at
        if (isSpace(byte)) continue
        this.#state = 'bare'
      }
      if (this.#endsWith(byte)) {
        values.push(this.#take(piece.subarray(start, at + 1)))
        start = at + 1
      }
    }
    if (this.#state !== 'between') this.#keep(piece.subarray(start))
    return values
  }

  /** The last value, if nothing but the end of the body ends it. */
  end(): string | undefined {
    if (this.#state === 'between') return undefined
    if (this.#state !== 'bare') throw new JsonError('unexpected EOF')
    return this.#take(Buffer.alloc(0))
  }

  /** Whether the value ends with this byte. */
  #endsWith(byte: number): boolean {
    if (this.#state === 'escape') this.#state = 'string'
    else if (this.#state === 'string') {
      if (byte === backslash) this.#state = 'escape'
      else if (byte === quote) this.#state = 'nested'
    } else if (byte === quote) this.#state = 'string'
    else if (isOpening(byte)) {
      this.#state = 'nested'
      if (++this.#depth > this.#bounds.depthMax)
        throw new JsonError(`more than ${this.#bounds.depthMax} lists and objects in each other`)
    } else if (isClosing(byte) && this.#depth > 0) this.#depth--
    else return false
    return this.#state === 'nested' && this.#depth === 0
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length
    if (this.#bytes > this.#bounds.bytesMax) throw new JsonTooLong()
    this.#pieces.push(piece)
  }

  #take(piece: Buffer): string {
    this.#keep(piece)
    const text = Buffer.concat(this.#pieces).toString()
    this.#pieces = []
    this.#bytes = 0
    this.#state = 'between'
    return text
  }
}
