/** A line that a person or a program gives, in bytes: bounded, and text. */
import { BadInput } from './failure.js'
import { badColumn, nameOfByte } from './utf8.js'

/** A line holds a key and a value, and little else. */
export const lineBytesMax = 1 << 20

/** The text without its line break. Throws `BadInput` for bytes that are not UTF-8; `line` counts from 1. */
export function typedLine(bytes: Buffer, line: number): string {
  const bad = badColumn(bytes)
  if (bad !== undefined) {
    const place = `line ${line}, column ${bad.column}`
    throw new BadInput(`${place}: ${nameOfByte(bad.byte)} is not UTF-8; give the line in UTF-8`)
  }
  return bytes.toString().replace(/\r$/, '')
}
