/** The model of etcd that the judge compares answers with: the keys, and how each call changes them. */
import { stepsOf } from './claims.js'
import { compareKeys } from './keys.js'
import type { Held, Past } from './past.js'
import { type Compare, type EtcdCall, isOk, type KeySpan, type TxnOp } from './record.js'

export type Effect = { readonly value: string | undefined; readonly lease: string } | 'deleted'

/** `undefined` if the past does not tell which branch of a transaction is taken. */
export function effectsOf(call: EtcdCall, past: Past): Map<string, Effect> | undefined {
  if (call.op === 'revoke') return new Map(past.attached(call.lease).map((key) => [key, 'deleted']))
  const ops = opsOf(call, past)
  return ops === undefined ? undefined : effectsOfOps(ops, past)
}

export function effectsOfOps(ops: readonly TxnOp[], past: Past): Map<string, Effect> {
  const effects = new Map<string, Effect>()
  for (const op of ops) {
    if (op.op === 'put') effects.set(op.key, { value: op.value, lease: op.lease ?? '' })
    if (op.op !== 'delete') continue
    for (const key of past.keysWithin(op)) if (past.last(key)?.held !== undefined) effects.set(key, 'deleted')
  }
  return effects
}

function opsOf(call: EtcdCall, past: Past): readonly TxnOp[] | undefined {
  if (call.op === 'put' || call.op === 'delete' || call.op === 'range') return [call]
  if (call.op !== 'txn') return []
  if (isOk(call)) return stepsOf(call).map(({ op }) => op)
  const holds = comparesHold(call.compare, (key) => past.last(key)?.held)
  return holds === undefined ? undefined : holds ? call.success : call.failure
}

/** Keys that the call may write or delete, whichever branch it takes. */
export function spansWritten(call: EtcdCall): KeySpan[] {
  if (call.op === 'put') return [{ key: call.key }]
  if (call.op === 'delete') return [call]
  if (call.op !== 'txn') return []
  return [...call.success, ...call.failure].flatMap((op) =>
    op.op === 'put' ? [{ key: op.key }] : op.op === 'delete' ? [op] : [],
  )
}

/** Whether the call has a revision of its own, if it happened. */
export function isChange(call: EtcdCall): boolean {
  if (call.op === 'put') return true
  if (call.op === 'delete') return (call.deleted ?? 0) > 0
  if (call.op !== 'txn' || !isOk(call)) return false
  return stepsOf(call).some(({ op, answer }) => op.op === 'put' || (answer.deleted ?? 0) > 0)
}

export function comparesHold(
  compares: readonly Compare[],
  heldOf: (key: string) => Held | undefined,
): boolean | undefined {
  const all = compares.map((compare) => holds(compare, heldOf(compare.key)))
  return all.includes(false) ? false : all.includes(undefined) ? undefined : true
}

function holds({ target, result, value }: Compare, held: Held | undefined): boolean | undefined {
  const order = orderOf(target, value, held)
  if (typeof order !== 'number') return order
  if (result === '=') return order === 0
  if (result === '!=') return order !== 0
  return result === '>' ? order > 0 : order < 0
}

/** How the key compares with the value. A key that does not exist has no value to compare, and counts as 0 otherwise. */
function orderOf(
  target: Compare['target'],
  value: string | number,
  held: Held | undefined,
): number | false | undefined {
  if (target === 'value') {
    if (held === undefined) return false
    return held.value === undefined ? undefined : compareKeys(held.value, String(value))
  }
  const told = target === 'lease' ? BigInt(held?.lease || 0) : BigInt(held?.[target] ?? 0)
  const wanted = BigInt(value)
  return told < wanted ? -1 : told > wanted ? 1 : 0
}
