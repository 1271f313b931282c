/** The fields of a line of JSON, each checked before it is used. */
import { RaftError } from '../errors/index.js'
import { shortened } from './shortened.js'

export type Fields = Readonly<Record<string, unknown>>

export const timeExpected =
  'a time as a whole number of at most 9,007,199,254,740,991 (count from the start of the run)'

/** `kind`: what the line is to hold. */
export function objectIn(line: string, kind: string): Fields {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    check('the line', undefined, false, `${kind} as a JSON object`, shortened(line))
  }
  check('the line', parsed, isFields(parsed), `${kind} as a JSON object`)
  return parsed as Fields
}

export function isFields(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value)
}

/** Throws a `RaftError` that names the field. */
export function check(
  what: string,
  value: unknown,
  isRight: boolean,
  expected: string,
  actual?: string,
): void {
  if (isRight) return
  const told = actual ?? (value === undefined ? 'nothing' : shortened(JSON.stringify(value)))
  throw new RaftError('INVALID_COMMAND', { what, expected, actual: told })
}
