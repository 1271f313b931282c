/** Where one record ends and the next begins, in bytes that come in chunks of any length. */
import type { Malformed } from './record-text.js'

/** A record's bytes, and the line on which it begins, counted from 1. */
export interface Framed {
  readonly line: number
  readonly bytes: Buffer
}

export interface Framer {
  /** The records that end within the chunk. */
  take(chunk: Buffer): Iterable<Framed>
  /** The records that are left when the input has ended. */
  end(): Iterable<Framed>
}

export const newline = 0x0a

/** Space as JSON has it. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === newline || byte === 0x0d || byte === 0x09
}

/** The chunks of a record that is not complete: joined once, so that the time is linear in its length. */
class Pieces {
  readonly #bytesMax: number
  #pieces: Buffer[] = []
  #length = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Whether the bound is kept. */
  add(piece: Buffer): boolean {
    this.#pieces.push(piece)
    this.#length += piece.length
    return this.#length <= this.#bytesMax
  }

  take(): Buffer {
    const [first] = this.#pieces
    const whole =
      this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces, this.#length)
    this.#pieces = []
    this.#length = 0
    return whole
  }
}

/** A record a line, without its line break. */
export class LineFramer implements Framer {
  readonly #malformed: Malformed
  readonly #bytesMax: number
  readonly #pieces: Pieces
  #line: number

  constructor(bytesMax: number, malformed: Malformed, line = 1) {
    this.#malformed = malformed
    this.#bytesMax = bytesMax
    this.#pieces = new Pieces(bytesMax)
    this.#line = line
  }

  *take(chunk: Buffer): Generator<Framed> {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#add(chunk.subarray(start, end))
      yield { line: this.#line, bytes: this.#pieces.take() }
      this.#line++
      start = end + 1
    }
    this.#add(chunk.subarray(start))
  }

  *end(): Generator<Framed> {
    const bytes = this.#pieces.take()
    if (bytes.length > 0) yield { line: this.#line, bytes }
  }

  #add(piece: Buffer): void {
    if (!this.#pieces.add(piece))
      throw this.#malformed(this.#line, `the line has more than ${this.#bytesMax} bytes; put less on a line`)
  }
}

const comma = 0x2c
const quote = 0x22
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
/** Below it are control characters. */
const space = 0x20

/** The elements of a JSON array, from behind its opening bracket on. An element is cut out here and parsed elsewhere. */
export class ArrayFramer implements Framer {
  readonly #malformed: Malformed
  readonly #bytesMax: number
  readonly #pieces: Pieces
  #line: number
  #startLine: number
  #elements = 0
  /** Brackets and braces of the element that are open. */
  #depth = 0
  #isInString = false
  #isEscaped = false
  #isWithin = false
  #isClosed = false

  constructor(bytesMax: number, malformed: Malformed, line = 1) {
    this.#malformed = malformed
    this.#bytesMax = bytesMax
    this.#pieces = new Pieces(bytesMax)
    this.#line = line
    this.#startLine = line
  }

  *take(chunk: Buffer): Generator<Framed> {
    let at = 0
    for (;;) {
      if (!this.#isWithin) {
        at = this.#skipSpace(chunk, at)
        if (at === chunk.length) return
        if (this.#isClosed) throw this.#malformed(this.#line, 'something follows the end of the array')
        this.#isWithin = true
        this.#startLine = this.#line
      }
      const end = this.#endOfElement(chunk, at)
      if (!this.#pieces.add(chunk.subarray(at, end)))
        throw this.#malformed(this.#startLine, `the record has more than ${this.#bytesMax} bytes`)
      if (end === chunk.length) return
      yield* this.#element(chunk[end]!)
      at = end + 1
    }
  }

  // biome-ignore lint/correctness/useYield: An array that has not ended holds no complete element.
  *end(): Generator<Framed> {
    if (!this.#isClosed)
      throw this.#malformed(
        this.#line,
        'the array has no end: the file is cut off, or a quote or bracket is missing',
      )
  }

  *#element(delimiter: number): Generator<Framed> {
    const bytes = this.#pieces.take()
    this.#isWithin = false
    this.#isClosed = delimiter === closeBracket
    if (bytes.length > 0) yield { line: this.#startLine, bytes }
    else if (!this.#isClosed || this.#elements > 0)
      throw this.#malformed(this.#startLine, 'there is a comma too many')
    this.#elements++
  }

  #skipSpace(chunk: Buffer, from: number): number {
    let at = from
    for (; at < chunk.length && isSpace(chunk[at]!); at++) if (chunk[at] === newline) this.#line++
    return at
  }

  /** The offset of what ends the element, or the length of the chunk if nothing in it does. */
  #endOfElement(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (this.#isInString) {
        // No string holds a line break. What a missing quote would swallow ends here, and does not parse.
        if (byte < space) return at
        this.#inString(byte)
      } else if (this.#depth <= 0 && (byte === comma || byte === closeBracket)) return at
      else this.#betweenStrings(byte)
    }
    return chunk.length
  }

  #inString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (byte === backslash) this.#isEscaped = true
    else if (byte === quote) this.#isInString = false
  }

  #betweenStrings(byte: number): void {
    if (byte === quote) this.#isInString = true
    else if (byte === openBrace || byte === openBracket) this.#depth++
    else if (byte === closeBrace || byte === closeBracket) this.#depth--
    else if (byte === newline) this.#line++
  }
}
