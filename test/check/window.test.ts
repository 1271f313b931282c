/** The operations that a verdict is explained by: they contradict each other, and none of them can be spared. */
import { expect, test } from 'vitest'
import {
  checkHistory,
  type KeyValueOperation,
  keyValue,
  type Model,
  type Operation,
} from '../../src/check/index.js'
import { Random } from '../../src/raft/index.js'
import { hasOrder } from './brute-force.js'
import { randomHistory } from './random-history.js'

/** The history as a window has it: reads that are let go are left out, and the outcome of writes is unknown. */
function letGo(
  history: readonly KeyValueOperation[],
  kept: ReadonlySet<KeyValueOperation>,
): KeyValueOperation[] {
  return history.flatMap((operation) => {
    if (kept.has(operation)) return [operation]
    const isGone = operation.outcome === 'fail' || keyValue.isRead?.(operation) === true
    return isGone ? [] : [{ ...operation, outcome: 'unknown' } as KeyValueOperation]
  })
}

test('each operation of a window is needed, and all of them have no order', () => {
  const sizes: number[] = []
  for (let seed = 1; sizes.length < 1500; seed++) {
    const history = randomHistory(seed, 8)
    for (const { key, window, isMinimal } of checkHistory(history, keyValue).failures) {
      const ofKey = history.filter((operation) => operation.key === key)
      const kept = new Set(window)
      const words = JSON.stringify(history)
      expect(isMinimal).toBe(true)
      expect(hasOrder(letGo(ofKey, kept)), words).toBe(false)
      for (const each of window)
        expect(hasOrder(letGo(ofKey, new Set(window.filter((other) => other !== each)))), words).toBe(true)
      sizes.push(window.length)
    }
  }
  // Windows of one operation only would prove little.
  expect(sizes.filter((size) => size > 1).length).toBeGreaterThan(100)
}, 60_000)

const stale: KeyValueOperation[] = [
  ...Array.from({ length: 500 }, (_, at): KeyValueOperation => {
    const times = { client: at % 8, key: 'k', call: 10 * at, return: 10 * at + 25, outcome: 'ok' } as const
    return { ...times, op: 'put', value: `${at}` }
  }),
  { client: 9, key: 'k', op: 'get', result: '7', call: 4000, return: 4001, outcome: 'ok' },
]

test('a stale read among many writes is explained by itself, its write and one in between', () => {
  const [failure] = checkHistory(stale, keyValue).failures
  expect(failure?.window.map((operation) => keyValue.describe?.(operation))).toEqual([
    'put "k" "7"',
    expect.stringMatching(/^put "k"/),
    'get "k" → "7"',
  ])
  expect(failure?.isMinimal).toBe(true)
  const [read] = failure?.stuck ?? []
  expect(read?.operation).toBe(stale.at(-1))
  expect(read?.needs).toEqual([
    { operation: stale[7], why: 'it has its place earlier already, and happens once' },
  ])
})

test('a value that nobody wrote needs one operation to be explained', () => {
  const never: KeyValueOperation = { ...stale[500], result: 'never' } as KeyValueOperation
  const [failure] = checkHistory([...stale.slice(0, 500), never], keyValue).failures
  expect(failure?.window).toEqual([never])
  expect(failure?.stuck).toEqual([{ operation: never, needs: [] }])
})

test.each([
  ['failed', { outcome: 'fail' }, 'it failed, so that it did not happen'],
  ['was called later', { call: 9, return: 9 }, 'it was called only after that'],
])('a write that %s is named as what the read would need', (_, how, why) => {
  const put = {
    client: 1,
    key: 'k',
    op: 'put',
    value: 'a',
    call: 1,
    return: 2,
    outcome: 'ok',
    ...how,
  } as KeyValueOperation
  const get: KeyValueOperation = {
    client: 2,
    key: 'k',
    op: 'get',
    result: 'a',
    call: 3,
    return: 4,
    outcome: 'ok',
  }
  const [failure] = checkHistory([put, get], keyValue).failures
  expect(failure?.stuck).toEqual([{ operation: get, needs: [{ operation: put, why }] }])
  expect(failure?.state).toBe('nothing')
})

test('a window is the same each time, and told as unproven when there is no time to prove it', () => {
  const one = checkHistory(stale, keyValue)
  expect(checkHistory(stale, keyValue)).toEqual(one)
  let asked = 0
  const { failures } = checkHistory(stale, keyValue, { isTimeUp: () => ++asked > 2 })
  expect(failures[0]?.isMinimal).toBe(false)
})

type QueueOperation = Operation & ({ readonly push: string } | { readonly taken: string })

/** A queue, of which an operation of unknown outcome fits where the same one with its result does not. */
const queue: Model<readonly string[], QueueOperation> = {
  initial: () => [],
  step: (state, operation) => {
    if ('push' in operation) return [...state, operation.push]
    return operation.outcome === 'unknown' || state[0] === operation.taken ? state.slice(1) : undefined
  },
  identityOf: (state) => state.join(),
}

/** What becomes of the history when all operations but the kept ones are let go. */
function verdictWithout(history: readonly QueueOperation[], kept: readonly QueueOperation[]): string {
  const left = history.map((each): QueueOperation => {
    return kept.includes(each) || each.outcome === 'fail' ? each : { ...each, outcome: 'unknown' }
  })
  return checkHistory(left, queue).verdict
}

const pushed = (client: number, push: string, call: number, end: number): QueueOperation => {
  return { client, push, call, return: end, outcome: 'ok' }
}
const took = (client: number, taken: string, call: number, end: number): QueueOperation => {
  return { client, taken, call, return: end, outcome: 'ok' }
}

test('an operation that returned after the contradiction is in the window if it is needed', () => {
  const history = [pushed(1, 'x', 1, 2), pushed(1, 'y', 3, 4), took(2, 'y', 5, 10), took(3, 'z', 5, 20)]
  const [failure] = checkHistory(history, queue).failures
  expect(failure?.isMinimal).toBe(true)
  expect(verdictWithout(history, failure?.window ?? [])).toBe('not-linearizable')
})

test('a window contradicts itself also where a later call would help one of its operations', () => {
  const history = [
    ...[pushed(1, 'x', 1, 2), pushed(1, 'y', 3, 4), took(3, 'z', 5, 20)],
    ...[took(2, 'y', 6, 7), pushed(1, 'z', 8, 9)],
  ]
  const [failure] = checkHistory(history, queue).failures
  expect(failure?.isMinimal).toBe(true)
  expect(verdictWithout(history, failure?.window ?? [])).toBe('not-linearizable')
})

test('each operation of a window of a queue is needed, and all of them have no order', () => {
  let windows = 0
  for (let seed = 1; windows < 400; seed++) {
    const random = new Random(seed)
    const history = Array.from({ length: 7 }, (_, at): QueueOperation => {
      const call = 4 * at - random.below(12)
      const end = 4 * at + random.below(16)
      const value = 'xyz'[random.below(3)] as string
      return random.chance(0.5) ? pushed(at, value, call, end) : took(at, value, call, end)
    })
    for (const { window, isMinimal } of checkHistory(history, queue).failures) {
      const words = JSON.stringify(history)
      expect(isMinimal, words).toBe(true)
      expect(verdictWithout(history, window), words).toBe('not-linearizable')
      for (const each of window) {
        const others = window.filter((other) => other !== each)
        expect(verdictWithout(history, others), words).toBe('linearizable')
      }
      windows++
    }
  }
})

test('an order is told as the longest only if all were tried', () => {
  const history = (appends: number): KeyValueOperation[] => [
    ...Array.from({ length: appends }, (_, at): KeyValueOperation => {
      return { client: at, key: 'k', op: 'append', value: `${at}`, call: 1, outcome: 'unknown' }
    }),
    { client: -1, key: 'k', op: 'get', result: 'never', call: 3, return: 4, outcome: 'ok' },
  ]
  const [few] = checkHistory(history(3), keyValue).failures
  expect(few).toMatchObject({ isOrderLongest: true, stuck: [{ needs: [] }] })
  const [many] = checkHistory(history(9), keyValue).failures
  expect(many).toMatchObject({ isOrderLongest: false, stuck: [] })
})
