/** An operation of a key-value history as a line of JSON, checked field by field. */
import { RaftError } from '../errors/index.js'
import type { KeyValueOperation } from './key-value.js'
import { outcomes } from './model.js'

type Fields = Readonly<Record<string, unknown>>

const time = 'a time as a whole number of at most 9,007,199,254,740,991 (count from the start of the run)'

/** Throws a `RaftError` that names the field for a line that is no operation. Fields that nobody asks for are ignored. */
export function parseOperation(line: string): KeyValueOperation {
  const fields = objectIn(line)
  const { client, key, call, return: end, outcome, op } = fields
  const isOk = outcome === 'ok'
  check('client', client, typeof client === 'string' || isTime(client), 'a whole number or a text')
  check('key', key, typeof key === 'string', 'a text')
  check(
    'outcome',
    outcome,
    outcomes.some((each) => each === outcome),
    '"ok", "fail" or "unknown"',
  )
  check('call', call, isTime(call), time)
  const hasEnd = isTime(end) || (!isOk && (end === undefined || end === null))
  check('return', end, hasEnd, time)
  const isInOrder = !isTime(end) || (end as number) >= (call as number)
  check('return', end, isInOrder, `a time that is not before the call at ${call}`)
  checkValues(fields, isOk)
  // No other field is kept: a history may be long.
  const { value, expected, result } = fields
  const all = { client, key, call, return: end, outcome, op, value, expected, result }
  return all as unknown as KeyValueOperation
}

function checkValues({ op, value, expected, result }: Fields, isOk: boolean): void {
  const writes = op === 'put' || op === 'append' || op === 'cas'
  check('op', op, writes || op === 'get' || op === 'delete', '"get", "put", "append", "cas" or "delete"')
  if (writes) check('value', value, typeof value === 'string', 'a text')
  if (op === 'cas') check('expected', expected, isTextOrNull(expected), 'a text, or null for no key')
  if (!isOk) return
  if (op === 'get') check('result', result, isTextOrNull(result), 'a text, or null for no key')
  if (op === 'cas') check('result', result, typeof result === 'boolean', 'true or false')
  const isTold = result !== undefined && result !== null
  if (op === 'delete' && isTold) check('result', result, typeof result === 'boolean', 'true, false or null')
}

function objectIn(line: string): Fields {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    check('the line', undefined, false, 'an operation as a JSON object', shortened(line))
  }
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  check('the line', parsed, isObject, 'an operation as a JSON object')
  return parsed as Fields
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value)
}

function isTextOrNull(value: unknown): boolean {
  return typeof value === 'string' || value === null
}

function check(what: string, value: unknown, isRight: boolean, expected: string, actual?: string): void {
  if (isRight) return
  const told = actual ?? (value === undefined ? 'nothing' : shortened(JSON.stringify(value)))
  throw new RaftError('INVALID_COMMAND', { what, expected, actual: told })
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
