/** Bytes that are to be text: the first one that is not UTF-8 is found, and told by its place. */
import { isUtf8 } from 'node:buffer'

/** A place in a file, as editors count it: from 1, and a column a character. */
export interface Place {
  readonly line: number
  readonly column: number
}

const newline = 0x0a

/**
 * Gives the bytes as they come, up to the first one that is not UTF-8; `refuse` makes the error to throw there. A
 * character that is cut by the end of a chunk is given with the next chunk.
 */
export async function* checkedUtf8(
  input: AsyncIterable<Buffer>,
  refuse: (place: Place, byte: number) => Error,
): AsyncGenerator<Buffer> {
  let place: Place = { line: 1, column: 1 }
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of input) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const whole = bytes.subarray(0, bytes.length - cutBytes(bytes))
    const bad = firstBad(whole)
    yield whole.subarray(0, bad)
    place = placeAfter(place, whole.subarray(0, bad))
    if (bad !== undefined) throw refuse(place, whole[bad]!)
    rest = bytes.subarray(whole.length)
  }
  if (rest.length > 0) throw refuse(place, rest[0]!)
}

/** The place of the first byte that is not UTF-8 within one line, or `undefined` if all are. */
export function badColumn(line: Uint8Array): { readonly column: number; readonly byte: number } | undefined {
  const bad = firstBad(line)
  if (bad === undefined) return undefined
  return { column: placeAfter({ line: 1, column: 1 }, line.subarray(0, bad)).column, byte: line[bad]! }
}

export function nameOfByte(byte: number): string {
  return `byte 0x${byte.toString(16).padStart(2, '0')}`
}

function firstBad(bytes: Uint8Array): number | undefined {
  if (isUtf8(bytes)) return undefined
  let at = 0
  for (;;) {
    const length = lengthOfCharacter(bytes[at]!)
    if (length === 0 || !isUtf8(bytes.subarray(at, at + length))) return at
    at += length
  }
}

/** Bytes of the character that begins with this one; 0 if none does. */
function lengthOfCharacter(lead: number): number {
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return 0
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}

/** How many bytes at the end begin a character without ending it. */
function cutBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!
    if (!isContinuation(byte)) return lengthOfCharacter(byte) > back ? back : 0
  }
  return 0
}

function placeAfter({ line, column }: Place, bytes: Uint8Array): Place {
  let lines = 0
  let start = 0
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, start)) {
    lines++
    start = at + 1
  }
  let characters = 0
  for (let at = start; at < bytes.length; at++) if (!isContinuation(bytes[at]!)) characters++
  return { line: line + lines, column: (lines === 0 ? column : 1) + characters }
}
