/** The verdicts: each rule of a history by itself, and all of them against the definition. */
import { describe, expect, test } from 'vitest'
import {
  checkHistory,
  checkInTurns,
  judgeEtcd,
  type KeyValueOperation,
  keyValue,
  type Model,
  type Operation,
  operationWords,
  register,
} from '../../src/check/index.js'
import { hasOrder } from './brute-force.js'
import { randomHistory } from './random-history.js'

type Asked = KeyValueOperation extends infer Each
  ? Each extends unknown
    ? Omit<Each, keyof Operation | 'key'>
    : never
  : never

/** An operation that ends well, between two times. */
function told(
  call: number,
  end: number,
  asked: Asked,
  more: Partial<Operation> & { key?: string } = {},
): KeyValueOperation {
  return { client: 0, key: 'k', call, return: end, outcome: 'ok', ...asked, ...more } as KeyValueOperation
}

const put = (value: string): Asked => ({ op: 'put', value })
const get = (result: string | null): Asked => ({ op: 'get', result })
const verdictOf = (...history: KeyValueOperation[]): string => checkHistory(history, keyValue).verdict

describe('a key-value history', () => {
  test('of nothing is linearizable', () => {
    expect(checkHistory([], keyValue)).toMatchObject({ verdict: 'linearizable', operations: 0, keys: 0 })
  })

  test('may show either of two writes that overlap, and not the one that ended before the other began', () => {
    for (const shown of ['a', 'b'])
      expect(verdictOf(told(1, 5, put('a')), told(2, 6, put('b')), told(7, 8, get(shown)))).toBe(
        'linearizable',
      )
    const inTurn = [told(1, 2, put('a')), told(3, 4, put('b'))]
    expect(verdictOf(...inTurn, told(5, 6, get('b')))).toBe('linearizable')
    expect(verdictOf(...inTurn, told(5, 6, get('a')))).toBe('not-linearizable')
  })

  test('of one client need not be in the order of its calls where they overlap', () => {
    expect(verdictOf(told(1, 9, put('a')), told(2, 3, get('a')))).toBe('linearizable')
  })

  test('takes a call at the instant of a return as concurrent with it', () => {
    expect(verdictOf(told(1, 2, put('a')), told(2, 3, get(null)))).toBe('linearizable')
    expect(verdictOf(told(1, 2, put('a')), told(3, 4, get(null)))).toBe('not-linearizable')
  })

  test('does not depend on the order in which it is told', () => {
    const history = [told(5, 6, get('a')), told(1, 2, put('a')), told(3, 4, get('a'))]
    expect(verdictOf(...history)).toBe('linearizable')
    expect(verdictOf(...history.reverse())).toBe('linearizable')
  })

  test('is checked key by key', () => {
    const other = { key: 'other' }
    expect(verdictOf(told(1, 2, put('a')), told(3, 4, get(null), other))).toBe('linearizable')
    const result = checkHistory([told(1, 2, put('a')), told(3, 4, get('a'), other)], keyValue)
    expect(result).toMatchObject({ verdict: 'not-linearizable', keys: 2, failedKeys: ['other'] })
  })

  test('joins what is appended, to nothing as well', () => {
    const appends = [told(1, 2, { op: 'append', value: 'a' }), told(3, 4, { op: 'append', value: 'b' })]
    expect(verdictOf(...appends, told(5, 6, get('ab')))).toBe('linearizable')
    expect(verdictOf(...appends, told(5, 6, get('ba')))).toBe('not-linearizable')
  })

  test('swaps only the expected value, of which null is that of no key', () => {
    const swap = (expected: string | null, result: boolean): Asked => ({
      op: 'cas',
      expected,
      value: 'b',
      result,
    })
    expect(verdictOf(told(1, 2, swap(null, true)), told(3, 4, get('b')))).toBe('linearizable')
    expect(verdictOf(told(1, 2, swap('a', false)), told(3, 4, get(null)))).toBe('linearizable')
    expect(verdictOf(told(1, 2, swap('a', true)))).toBe('not-linearizable')
    expect(verdictOf(told(1, 2, put('a')), told(3, 4, swap('a', false)))).toBe('not-linearizable')
  })

  test('deletes, and tells whether there was such a key, if it was told', () => {
    const gone = (result?: boolean): Asked => ({ op: 'delete', result })
    expect(verdictOf(told(1, 2, put('a')), told(3, 4, gone(true)), told(5, 6, get(null)))).toBe(
      'linearizable',
    )
    expect(verdictOf(told(1, 2, gone(true)))).toBe('not-linearizable')
    expect(verdictOf(told(1, 2, gone(false)), told(3, 4, gone()))).toBe('linearizable')
  })

  test('has no operation that failed', () => {
    expect(verdictOf(told(1, 2, put('a'), { outcome: 'fail' }), told(3, 4, get(null)))).toBe('linearizable')
    expect(verdictOf(told(1, 2, put('a'), { outcome: 'fail' }), told(3, 4, get('a')))).toBe(
      'not-linearizable',
    )
  })

  test('has an operation of unknown outcome at any time after its call, once, or never', () => {
    const lost = told(3, 4, put('a'), { outcome: 'unknown', return: null })
    expect(verdictOf(lost, told(5, 6, get(null)), told(7, 8, get('a')))).toBe('linearizable')
    expect(verdictOf(lost, told(5, 6, get(null)), told(7, 8, get(null)))).toBe('linearizable')
    expect(verdictOf(lost, told(1, 2, get('a')))).toBe('not-linearizable')
    const over = told(9, 10, put('b'))
    expect(verdictOf(lost, told(7, 8, get('a')), over, told(11, 12, get('a')))).toBe('not-linearizable')
  })
})

test('a register holds what was written last', () => {
  const asked = { client: 'one', outcome: 'ok' } as const
  const write = { ...asked, op: 'write', value: 7, call: 1, return: 2 } as const
  const read = (result: number | null) => ({ ...asked, op: 'read', result, call: 3, return: 4 }) as const
  expect(checkHistory([write, read(7)], register).verdict).toBe('linearizable')
  expect(checkHistory([write, read(null)], register).verdict).toBe('not-linearizable')
})

describe('10,000 small histories, half of them wrong, are judged as all their orders say', () => {
  const wanted = 5000
  test.each([6, 8])(
    'with up to %i operations',
    (operationsMax) => {
      const found = { right: 0, wrong: 0 }
      for (let seed = 1; Math.min(found.right, found.wrong) < wanted / 2; seed++) {
        const history = randomHistory(seed * 10 + operationsMax, operationsMax)
        const isRight = hasOrder(history)
        if (found[isRight ? 'right' : 'wrong'] === wanted / 2) continue
        found[isRight ? 'right' : 'wrong']++
        const { verdict } = checkHistory(history, keyValue)
        expect(verdict, JSON.stringify(history)).toBe(isRight ? 'linearizable' : 'not-linearizable')
      }
      expect(found).toEqual({ right: wanted / 2, wrong: wanted / 2 })
    },
    60_000,
  )
})

describe('a check that is too hard ends without an answer', () => {
  /** Any of 2^30 subsets of the appends could be in any order, and none of them explains the read. */
  const hard = [
    ...Array.from({ length: 30 }, (_, at) =>
      told(1, 2, { op: 'append', value: String.fromCharCode(97 + at) }, { client: at, outcome: 'unknown' }),
    ),
    told(3, 4, get('?')),
  ]

  test.each([
    ['steps', { stepsMax: 20_000 }],
    ['memory', { bytesMax: 1 << 20 }],
    ['time', { isTimeUp: () => true }],
  ] as const)('for lack of %s', (why, options) => {
    const { verdict, undecided } = checkHistory(hard, keyValue, options)
    expect(verdict).toBe('unknown')
    expect(undecided).toEqual([{ key: 'k', operations: 31, why }])
  })

  test('for lack of memory for the operations themselves', () => {
    const many = Array.from({ length: 1000 }, (_, at) => told(2 * at, 2 * at + 1, put(String(at))))
    expect(checkHistory(many, keyValue, { bytesMax: 1 << 15 }).undecided).toMatchObject([{ why: 'memory' }])
    expect(checkHistory(many, keyValue, { bytesMax: 1 << 18 }).verdict).toBe('linearizable')
  })

  test('but not for lack of memory that another key held', () => {
    const large = (key: string): KeyValueOperation[] => [
      ...Array.from({ length: 8 }, (_, at) =>
        told(1, 2, { op: 'append', value: String(at) }, { key, client: at, outcome: 'unknown' }),
      ),
      told(3, 4, get('?'), { key }),
    ]
    const { failedKeys } = checkHistory([...large('a'), ...large('b')], keyValue, { bytesMax: 16 << 20 })
    expect(failedKeys.toSorted()).toEqual(['a', 'b'])
  })

  test('and pauses again and again, so that a program can give it up', () => {
    const turns = checkInTurns(hard, keyValue)
    for (let turn = 0; turn < 10; turn++) expect(turns.next()).toEqual({ done: false, value: undefined })
  })

  test('and pauses more often where its states are long', () => {
    const long = hard.map((each) =>
      each.op === 'append' ? { ...each, value: each.value.repeat(100_000) } : each,
    )
    let steps = 0
    const step: typeof keyValue.step = (state, operation) => {
      steps++
      return keyValue.step(state, operation)
    }
    const turns = checkInTurns(long, { ...keyValue, step })
    for (let turn = 0; turn < 10; turn++) expect(turns.next().done).toBe(false)
    expect(steps).toBeLessThan(1000)
  })

  test('and a key that has no order is found beside it', () => {
    const wrong = told(1, 2, get('x'), { key: 'wrong' })
    const result = checkHistory([...hard, wrong], keyValue, { stepsMax: 400_000 })
    expect(result).toMatchObject({
      verdict: 'not-linearizable',
      failedKeys: ['wrong'],
      undecided: [{ key: 'k' }],
    })
  })

  test('while puts of unknown outcome are not hard, however many they are', () => {
    const puts = Array.from({ length: 300 }, (_, at) =>
      told(1, 2, put(`${at}`), { client: at, outcome: 'unknown' }),
    )
    expect(verdictOf(...puts, told(3, 4, get('?')))).toBe('not-linearizable')
    expect(verdictOf(...puts, told(3, 4, get('7')), told(5, 6, get('9')))).toBe('linearizable')
    expect(verdictOf(...puts, told(3, 4, get('7')), told(5, 6, get('9')), told(7, 8, get('7')))).toBe(
      'not-linearizable',
    )
  })
})

test('many operations that overlap are no history too deep', () => {
  const history = Array.from({ length: 20_000 }, (_, at) =>
    told(at, at + 50, at % 2 === 0 ? put('v') : get('v')),
  )
  expect(verdictOf(...history)).toBe('linearizable')
})

describe('a model of one’s own', () => {
  interface Push extends Operation {
    readonly push?: number
    readonly popped?: number
  }
  /** A stack, whose states are arrays. */
  const stack: Model<readonly number[], Push> = {
    initial: () => [],
    step: (state, { push, popped }) => {
      if (push !== undefined) return [...state, push]
      return state.at(-1) === popped ? state.slice(0, -1) : undefined
    },
    identityOf: (state) => state.join(),
  }
  const pushes = [1, 2].map((push) => ({ client: push, push, call: 1, return: 2, outcome: 'ok' }) as const)
  const pop = (popped: number, call: number) =>
    ({ client: 3, popped, call, return: call + 1, outcome: 'ok' }) as const

  test('judges what it describes', () => {
    expect(checkHistory([...pushes, pop(1, 3), pop(2, 5)], stack).verdict).toBe('linearizable')
    expect(checkHistory([...pushes, pop(1, 3), pop(1, 5)], stack).verdict).toBe('not-linearizable')
  })

  test('may have states and operations that are no JSON', () => {
    const counter: Model<bigint, Operation & { readonly read: bigint }> = {
      initial: () => 0n,
      step: (state, { read }) => (read === state ? state : undefined),
    }
    const read = { client: 1, read: 7n, call: 1, return: 2, outcome: 'ok' } as const
    expect(checkHistory([read], counter).failures).toMatchObject([{ window: [read], state: '0' }])
    expect(operationWords(counter, read)).toContain('"read":"7"')
    interface Round {
      readonly self: Round[]
    }
    const round: Round = { self: [] }
    round.self.push(round)
    const model: Model<Round, Operation> = {
      initial: () => round,
      step: () => undefined,
      identityOf: () => 'round',
    }
    expect(checkHistory([read], model).failures[0]?.state).toBe('[object Object]')
  })

  test('is refused if its states are objects that nothing tells apart', () => {
    const { initial, step } = stack
    expect(() => checkHistory(pushes, { initial, step })).toThrow(/identityOf: a function/)
  })

  test('is refused if it calls an operation a read that is none', () => {
    expect(() => checkHistory(pushes, { ...stack, isRead: () => true })).toThrow(/isRead/)
  })

  test('is refused if it calls an operation blind that is not', () => {
    const wrong = checkHistory.bind(undefined, [...pushes, pop(3, 5)], { ...stack, isBlind: () => true })
    expect(wrong).toThrow(/isBlind/)
  })
})

test.each([
  [{ outcome: 'done' }, /operation 0: outcome: 'ok', 'fail' or 'unknown', not "done"/],
  [{ call: 0.5 }, /operation 0: call: a safe integer, not 0.5/],
  [{ return: undefined }, /operation 0: return: a safe integer, not undefined/],
  [{ call: 2, return: 1 }, /operation 0: return: no time before the call at 2, not 1/],
])('an operation is refused that has %o', (wrong, message) => {
  const operation = { ...told(1, 2, get(null)), ...wrong } as KeyValueOperation
  expect(() => checkHistory([operation], keyValue)).toThrow(message)
})

test.each([null, undefined, 7, 'put'])('an operation is refused that is %j', (wrong) => {
  expect(() => checkHistory([wrong as never], keyValue)).toThrow(/operation 0: an object, not/)
})

test('an operation is refused whose times are of another kind', () => {
  const wrong = { ...told(1, 2, get(null)), call: 1n } as unknown as KeyValueOperation
  expect(() => checkHistory([wrong], keyValue)).toThrow(/operation 0: call: a safe integer, not 1/)
})

test('an option that is none is refused', () => {
  expect(() => checkHistory([], keyValue, { stepMax: 1 } as object)).toThrow(/stepsMax/)
})

test.each([
  [{ stepsMax: Number.NaN }, /stepsMax: a number from 0 on, not NaN/],
  [{ stepsMax: '5' }, /stepsMax: a number from 0 on, not "5"/],
  [{ bytesMax: -1 }, /bytesMax: a number from 0 on, not -1/],
  [{ bytesMax: 'x' }, /bytesMax: a number from 0 on, not "x"/],
  [{ isTimeUp: true }, /isTimeUp: a function, not true/],
])('an option is refused that is %o', (wrong, message) => {
  expect(() => checkHistory([], keyValue, wrong as object)).toThrow(message)
  if ('isTimeUp' in wrong) expect(() => judgeEtcd([], wrong as object)).toThrow(message)
})
