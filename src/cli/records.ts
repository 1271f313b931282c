/** Records of a file, one by one: JSON lines, or CSV with a header. The first malformed one ends the reading. */
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { keyBytesMax, valueBytesMax } from '../cluster/index.js'
import { type Fields, type Fieldset, readCsv } from './csv.js'
import { BadInput } from './failure.js'

export interface FileRecord {
  /** Counted from 1, as editors do. */
  readonly line: number
  readonly key: string
  readonly value: string
}

export async function* readRecords(file: string, fields: Fields): AsyncGenerator<FileRecord> {
  const input = await openFile(file)
  const lines = /\.csv$/i.test(file)
    ? readCsv(input, fields, (line, why) => malformed(file, line, why))
    : readJsonLines(file, input)
  try {
    for await (const [line, fieldset] of lines) {
      const key = textOf(file, line, fieldset, fields.key, '--key')
      const value = textOf(file, line, fieldset, fields.value, '--value')
      checkLength(file, line, 'key', key, 1, keyBytesMax)
      checkLength(file, line, 'value', value, 0, valueBytesMax)
      yield { line, key, value }
    }
  } finally {
    input.destroy()
  }
}

async function openFile(file: string): Promise<Readable> {
  try {
    const handle = await open(file)
    if (!(await handle.stat()).isDirectory()) return handle.createReadStream({ encoding: 'utf8' })
    await handle.close()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new BadInput(
      `${file}: ${code === 'ENOENT' ? 'there is no such file' : message}; give a file that can be read`,
    )
  }
  throw new BadInput(`${file} is a directory; give a file of JSON lines or CSV`)
}

async function* readJsonLines(file: string, input: Readable): AsyncGenerator<[number, Fieldset]> {
  let line = 0
  for await (const text of linesOf(input)) {
    line++
    const json = line === 1 ? text.replace(/^\ufeff/, '') : text
    if (json.trim() !== '') yield [line, parseObject(file, line, json)]
  }
}

/** Not by `node:readline`, which does not tell its reader that the input failed. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of input as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  yield rest
}

function parseObject(file: string, line: number, json: string): Fieldset {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (error) {
    throw malformed(file, line, `this is no JSON: ${(error as Error).message}`)
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Fieldset
  throw malformed(file, line, 'a JSON object is needed, such as {"key":"a","value":"b"}')
}

/** Text as it is, and any other JSON value in its JSON form. */
function textOf(file: string, line: number, fieldset: Fieldset, field: string, flag: string): string {
  const value = Object.hasOwn(fieldset, field) ? fieldset[field] : undefined
  if (value === undefined)
    throw malformed(file, line, `there is no field '${field}': name the field with ${flag}`)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function checkLength(
  file: string,
  line: number,
  what: string,
  text: string,
  least: number,
  most: number,
): void {
  const length = Buffer.byteLength(text)
  if (length >= least && length <= most) return
  throw malformed(file, line, `the ${what} has ${length} bytes, and ${least} to ${most} are allowed`)
}

function malformed(file: string, line: number, why: string): BadInput {
  return new BadInput(`${file}, line ${line}: ${why}`)
}
