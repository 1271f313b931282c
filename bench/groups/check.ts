/** The checker of histories: how long it takes to judge one of many clients and keys. */
import { checkHistory, type KeyValueOperation, keyValue } from '../../src/check/index.js'
import { Random } from '../../src/raft/index.js'
import { type BenchCase, type Extent, type Group, higher, lower, pick, type Sample } from '../suite/index.js'

const keys = 1000
const clients = 64
/** A history of 100,000 operations is judged within so many seconds. */
const secondsMost = 10

export const check: Group = {
  name: 'check',
  cases: (extent: Extent) => pick(extent, [100_000, 10_000], [100_000]).map(judged),
}

function judged(operations: number): BenchCase {
  return {
    name: `operations/${operations}`,
    title: `a history of ${operations} operations on ${keys} keys by ${clients} clients`,
    parameters: { operations, keys, clients },
    run: async (): Promise<Sample> => {
      const history = historyOf(operations)
      const seconds = secondsFor(history, 'linearizable')
      const secondsForWrong = secondsFor(withWrongRead(history), 'not-linearizable')
      return {
        figures: [
          lower('seconds', 's', seconds),
          lower('secondsForWrongRead', 's', secondsForWrong),
          higher('operationsPerSecond', '1/s', operations / seconds),
          higher('secondsToSpare', 's', secondsMost - Math.max(seconds, secondsForWrong), { atLeast: 0 }),
        ],
      }
    },
  }
}

function secondsFor(history: readonly KeyValueOperation[], expected: string): number {
  const began = performance.now()
  const { verdict } = checkHistory(history, keyValue)
  if (verdict !== expected) throw new Error(`the history is ${expected}, and was judged as ${verdict}`)
  return (performance.now() - began) / 1000
}

/** Each client makes one call after the other, and each call happens within it; one of a hundred has no answer. */
function historyOf(operations: number): KeyValueOperation[] {
  const random = new Random(1)
  const freeFrom = Array.from({ length: clients }, () => 0)
  const calls = Array.from({ length: operations }, (_, at) => {
    const client = at % clients
    const call = (freeFrom[client] ?? 0) + random.below(20)
    const happens = call + random.below(200)
    const end = happens + random.below(200)
    freeFrom[client] = end + 1
    return { client, call, happens, end }
  })
  calls.sort((one, other) => one.happens - other.happens)
  const store = new Map<string, string>()
  return calls.map(({ client, call, end }, at) => {
    const outcome = random.chance(0.01) ? 'unknown' : 'ok'
    const asked = { client, key: `key-${random.below(keys)}`, call, return: end, outcome } as const
    return answered(asked, `${at}`, store, random, outcome === 'ok' || random.chance(0.5))
  })
}

type Asked = Pick<KeyValueOperation, 'client' | 'key' | 'call' | 'return' | 'outcome'>

function answered(
  asked: Asked,
  value: string,
  store: Map<string, string>,
  random: Random,
  happens: boolean,
): KeyValueOperation {
  const { key } = asked
  const held = store.get(key) ?? null
  const what = random.next()
  if (what < 0.5) return { ...asked, op: 'get', result: held }
  if (what < 0.6 && happens) store.delete(key)
  else if (happens) store.set(key, value)
  if (what < 0.6) return { ...asked, op: 'delete', result: held !== null }
  if (what < 0.7) return { ...asked, op: 'cas', expected: held, value, result: true }
  return { ...asked, op: 'put', value }
}

/** In the last answer that a get gave, a value that its key never had. */
function withWrongRead(history: readonly KeyValueOperation[]): KeyValueOperation[] {
  const last = history.findLastIndex(({ op, outcome }) => op === 'get' && outcome === 'ok')
  return history.map((operation, at) =>
    at === last && operation.op === 'get' ? { ...operation, result: 'never' } : operation,
  )
}
