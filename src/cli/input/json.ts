/** Records of JSON: one object a line, or one array of objects. */
import { ArrayFramer, type Framed, type Framer, isSpace, LineFramer, newline } from './framing.js'
import { membersOf, textOf } from './json-source.js'
import {
  type Charset,
  type Fields,
  inCharset,
  type Malformed,
  type RecordText,
  recordBytesMax,
} from './record-text.js'

const openBracket = 0x5b
const loneSurrogate = 'has one half of a surrogate pair, which is no character; mend the escape'

export async function* readJson(
  input: AsyncIterable<Buffer>,
  fields: Fields,
  charset: Charset,
  malformed: Malformed,
): AsyncGenerator<RecordText> {
  const names = { key: inCharset(fields.key, charset), value: inCharset(fields.value, charset) }
  for await (const { line, bytes } of framed(input, malformed)) {
    const json = bytes.toString(charset)
    if (/^[ \t\r]*$/.test(json)) continue
    const why = (reason: string): Error => malformed(line, reason)
    checkObject(json, why)
    yield { line, ...textsOf(json, fields, names, charset, why) }
  }
}

async function* framed(input: AsyncIterable<Buffer>, malformed: Malformed): AsyncGenerator<Framed> {
  let framer: Framer | undefined
  let line = 1
  for await (const chunk of input) {
    if (framer !== undefined) {
      yield* framer.take(chunk)
      continue
    }
    // The first byte that is no space tells an array from lines.
    const start = chunk.findIndex((byte) => !isSpace(byte))
    const space = start === -1 ? chunk : chunk.subarray(0, start)
    line += space.filter((byte) => byte === newline).length
    if (start === -1) continue
    const isArray = chunk[start] === openBracket
    framer = new (isArray ? ArrayFramer : LineFramer)(recordBytesMax, malformed, line)
    yield* framer.take(chunk.subarray(isArray ? start + 1 : start))
  }
  if (framer !== undefined) yield* framer.end()
}

function checkObject(json: string, malformed: (why: string) => Error): void {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (error) {
    // Newer versions of Node count lines from the beginning of the record.
    const why = (error as Error).message.replace(/ \(line \d+ column \d+\)/, '')
    throw malformed(`this is no JSON: ${why}`)
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return
  throw malformed('a JSON object is needed, such as {"key":"a","value":"b"}')
}

function textsOf(
  json: string,
  fields: Fields,
  names: Fields,
  charset: Charset,
  malformed: (why: string) => Error,
): { key: string; value: string } {
  const found: { key?: string; value?: string } = {}
  for (const { name, source } of membersOf(json)) {
    const field = textOf(name, charset)
    for (const part of ['key', 'value'] as const) {
      if (field !== names[part]) continue
      if (found[part] !== undefined) throw malformed(`the field '${fields[part]}' comes twice; give it once`)
      const text = textOf(source, charset)
      if (text === undefined) throw malformed(`the ${part} ${loneSurrogate}`)
      found[part] = text
    }
  }
  const { key, value } = found
  if (key === undefined) throw malformed(`there is no field '${fields.key}': name the field with --key`)
  if (value === undefined) throw malformed(`there is no field '${fields.value}': name the field with --value`)
  return { key, value }
}
