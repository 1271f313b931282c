/** An operation of a key-value history as a line of JSON, checked field by field. */
import type { KeyValueOperation } from './key-value.js'
import { check, type Fields, isWhole, objectIn, timeExpected } from './line-fields.js'
import { outcomes } from './model.js'

/** Throws a `RaftError` that names the field for a line that is no operation. Fields that nobody asks for are ignored. */
export function parseOperation(line: string): KeyValueOperation {
  const fields = objectIn(line, 'an operation')
  const { client, key, call, return: end, outcome, op } = fields
  const isOk = outcome === 'ok'
  check('client', client, typeof client === 'string' || isWhole(client), 'a whole number or a text')
  check('key', key, typeof key === 'string', 'a text')
  check(
    'outcome',
    outcome,
    outcomes.some((each) => each === outcome),
    '"ok", "fail" or "unknown"',
  )
  check('call', call, isWhole(call), timeExpected)
  const hasEnd = isWhole(end) || (!isOk && (end === undefined || end === null))
  check('return', end, hasEnd, timeExpected)
  const isInOrder = !isWhole(end) || (end as number) >= (call as number)
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

function isTextOrNull(value: unknown): boolean {
  return typeof value === 'string' || value === null
}
