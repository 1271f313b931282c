/** The members of a JSON object as they are written: a number that is parsed may lose digits. */
import type { Charset } from './record-text.js'

/** Name and value of a member, both as they are written. */
export interface Member {
  readonly name: string
  readonly source: string
}

const quote = '"'
const openings = '{['
const closings = '}]'
const spaces = ' \t\n\r'

/** `json` is one valid object; what `JSON.parse` takes needs no second check. */
export function* membersOf(json: string): Generator<Member> {
  let at = afterSpace(json, json.indexOf('{') + 1)
  while (json[at] !== '}') {
    const nameEnd = endOfString(json, at)
    const name = json.slice(at, nameEnd)
    const start = afterSpace(json, afterSpace(json, nameEnd) + 1)
    const end = endOfValue(json, start)
    yield { name, source: json.slice(start, end) }
    at = afterSpace(json, end)
    if (json[at] === ',') at = afterSpace(json, at + 1)
  }
}

/**
 * The text of a string, and any other value as it is written, without the space between its parts. `undefined`: the
 * string has half of a surrogate pair.
 */
export function textOf(source: string, charset: Charset): string | undefined {
  // A slice would keep the whole record in memory for as long as its key or its value is held.
  if (source[0] !== quote) return Buffer.from(withoutSpace(source), charset).toString(charset)
  const text = JSON.parse(source) as string
  if (!text.isWellFormed()) return undefined
  if (charset === 'utf8' || !source.includes('\\')) return text
  // Each character is a byte and stands for itself; an escape stands for the bytes of its character in UTF-8.
  return source
    .slice(1, -1)
    .replace(escapes, (sequence) => Buffer.from(JSON.parse(`"${sequence}"`) as string).toString('latin1'))
}

/** A pair of surrogates is one character. */
const escapes = /\\ud[89ab][0-9a-f]{2}\\u[0-9a-f]{4}|\\u[0-9a-f]{4}|\\./gi

function withoutSpace(json: string): string {
  let out = ''
  let at = 0
  for (let start = json.indexOf(quote); start !== -1; start = json.indexOf(quote, at)) {
    const end = endOfString(json, start)
    out += json.slice(at, start).replace(/\s/g, '') + json.slice(start, end)
    at = end
  }
  return out + json.slice(at).replace(/\s/g, '')
}

function afterSpace(json: string, from: number): number {
  let at = from
  while (spaces.includes(json.charAt(at))) at++
  return at
}

/** Behind the closing quote of the string that begins at `from`. */
function endOfString(json: string, from: number): number {
  for (let at = json.indexOf(quote, from + 1); ; at = json.indexOf(quote, at + 1)) {
    let backslashes = 0
    while (json[at - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return at + 1
  }
}

function endOfValue(json: string, from: number): number {
  if (json[from] === quote) return endOfString(json, from)
  let depth = 0
  let at = from
  for (;;) {
    const character = json.charAt(at)
    if (depth === 0 && (character === ',' || closings.includes(character) || spaces.includes(character)))
      return at
    if (openings.includes(character)) depth++
    else if (closings.includes(character)) depth--
    at = character === quote ? endOfString(json, at) : at + 1
    if (depth === 0 && closings.includes(character)) return at
  }
}
