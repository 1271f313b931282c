/** Small histories of a store that keeps its promise, and of one that does not always. */
import type { KeyValueOperation } from '../../src/check/index.js'
import { Random } from '../../src/raft/index.js'

const values = ['a', 'b', 'c']

/** Up to `operationsMax` operations on up to two keys. In about half of the histories, an answer or a time is changed. */
export function randomHistory(seed: number, operationsMax: number): KeyValueOperation[] {
  const random = new Random(seed)
  const store = new Map<string, string>()
  const count = 1 + random.below(operationsMax)
  const history = Array.from({ length: count }, (_, at) => randomOperation(random, store, 4 * at))
  if (random.chance(0.5)) return history
  const spoilt = random.below(count)
  return history.map((operation, at) => (at === spoilt ? changed(random, operation) : operation))
}

/** Happens at `atTime`, unless it fails or is lost, and takes a while before and after that. */
function randomOperation(random: Random, store: Map<string, string>, atTime: number): KeyValueOperation {
  const ends = random.next()
  const outcome = ends < 0.7 ? 'ok' : ends < 0.95 ? 'unknown' : 'fail'
  const happens = outcome === 'ok' || (outcome === 'unknown' && random.chance(0.5))
  const end = outcome === 'unknown' ? null : atTime + random.below(12)
  const asked = {
    client: random.below(3),
    key: random.chance(0.8) ? 'k' : 'l',
    outcome,
    call: atTime - random.below(12),
    return: end,
  } as const
  const held = store.get(asked.key) ?? null
  const { after, ...operation } = carriedOut(random, held)
  if (happens) {
    if (after === null) store.delete(asked.key)
    else store.set(asked.key, after)
  }
  return { ...asked, ...operation } as KeyValueOperation
}

/** What is asked, the right answer, and what the key then holds. */
function carriedOut(
  random: Random,
  held: string | null,
): { readonly after: string | null; readonly op: string } {
  const value = values[random.below(values.length)] as string
  switch (random.below(6)) {
    case 0:
      return { after: value, op: 'put', ...{ value } }
    case 1:
      return { after: (held ?? '') + value, op: 'append', ...{ value } }
    case 2: {
      const expected = random.chance(0.5) ? held : value
      const result = expected === held
      return { after: result ? `${value}!` : held, op: 'cas', ...{ expected, value: `${value}!`, result } }
    }
    case 3:
      return { after: null, op: 'delete', ...{ result: random.chance(0.3) ? null : held !== null } }
    default:
      return { after: held, op: 'get', ...{ result: held } }
  }
}

/** The operation with another answer, or at another time. */
function changed(random: Random, operation: KeyValueOperation): KeyValueOperation {
  if (operation.op === 'get') return { ...operation, result: values[random.below(values.length)] as string }
  if ((operation.op === 'cas' || operation.op === 'delete') && random.chance(0.7))
    return { ...operation, result: operation.result !== true }
  const later = random.below(40) - 20
  const { call, return: end } = operation
  return { ...operation, call: call + later, ...(typeof end === 'number' && { return: end + later }) }
}
