/** Records of a file, one by one: JSON lines, a JSON array, or CSV. The first malformed one ends the reading. */
import { keyBytesMax, valueBytesMax } from '../cluster/index.js'
import { BadInput, checkedUtf8, nameOfByte } from '../terminal/index.js'
import { nameOfInput, readBytes } from './input/bytes.js'
import { readCsv } from './input/csv.js'
import { readJson } from './input/json.js'
import type { Charset, Fields, RecordText } from './input/record-text.js'

/** `utf8` refuses bytes that are not UTF-8; `bytes` takes the bytes of a key or a value as they are. */
export const encodings = ['utf8', 'bytes'] as const

export type Encoding = (typeof encodings)[number]

export interface RecordFields extends Fields {
  readonly encoding?: Encoding
}

/** With `bytes`, each byte is read as the Latin-1 character of that number, so that none is lost. */
export function charsetOf(encoding: Encoding): Charset {
  return encoding === 'bytes' ? 'latin1' : 'utf8'
}

export async function* readRecords(
  file: string,
  { encoding = 'utf8', ...fields }: RecordFields,
  signal?: AbortSignal,
): AsyncGenerator<RecordText> {
  const malformed = (line: number, why: string): BadInput =>
    new BadInput(`${nameOfInput(file)}, line ${line}: ${why}`)
  const charset = charsetOf(encoding)
  const bytes = readBytes(file, signal)
  const input = encoding === 'bytes' ? bytes : checkedUtf8(bytes, (place, byte) => notUtf8(file, place, byte))
  const read = /\.csv(\.gz)?$/i.test(file) ? readCsv : readJson
  for await (const record of read(input, fields, charset, malformed)) {
    const { line, key, value } = record
    const why = (reason: string): Error => malformed(line, reason)
    checkLength('key', Buffer.byteLength(key, charset), 1, keyBytesMax, why)
    checkLength('value', Buffer.byteLength(value, charset), 0, valueBytesMax, why)
    yield record
  }
}

function notUtf8(file: string, { line, column }: { line: number; column: number }, byte: number): BadInput {
  return new BadInput(
    `${nameOfInput(file)}, line ${line}, column ${column}: ${nameOfByte(byte)} is not UTF-8; convert the file to UTF-8, or keep its bytes as they are with --encoding bytes`,
  )
}

function checkLength(
  what: string,
  bytes: number,
  least: number,
  most: number,
  malformed: (why: string) => Error,
): void {
  if (bytes >= least && bytes <= most) return
  throw malformed(`the ${what} has ${bytes} bytes, and ${least} to ${most} are allowed`)
}
