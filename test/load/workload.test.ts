import { describe, expect, test } from 'vitest'
import { keysDrawn, repeatedKeys } from '../../src/load/repeated-keys.js'
import {
  createWorkload,
  keyName,
  type OperationName,
  type Workload,
  type WorkloadName,
  Zipfian,
} from '../../src/load/workload.js'

/** A linear congruential generator of 48 bits, of which the upper ones are given: other dice than the product's. */
function seeded(seed: number): () => number {
  let state = BigInt(seed)
  return () => {
    state = (state * 0x5deece66dn + 0xbn) & 0xffff_ffff_ffffn
    return Number(state >> 16n) / 2 ** 32
  }
}

const records = 10_000
const draws = 200_000

interface Operation {
  readonly op: OperationName
  readonly key: string
}

function nextOf(workload: Workload): Operation {
  const op = workload.next()
  return { op, key: workload.keyFor(op) }
}

function run(name: WorkloadName, seed = 1, count = draws): Operation[] {
  const workload = createWorkload(name, { records, random: seeded(seed), size: 100 })
  return Array.from({ length: count }, () => nextOf(workload))
}

function countsOf<T>(values: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

/** Within five standard deviations of what independent draws give, plus what the law itself leaves open. */
function expectShare(count: number, of: number, share: number, slack = 0): void {
  const deviation = Math.sqrt(of * share * (1 - share))
  expect(Math.abs(count - of * share)).toBeLessThan(5 * deviation + of * slack)
}

test.each<[WorkloadName, Record<string, number>]>([
  ['a', { read: 0.5, update: 0.5 }],
  ['b', { read: 0.95, update: 0.05 }],
  ['c', { read: 1 }],
  ['d', { read: 0.95, insert: 0.05 }],
  ['f', { read: 0.5, readModifyWrite: 0.5 }],
])('workload %s has the mix of its YCSB file', (name, shares) => {
  const counts = countsOf(run(name).map(({ op }) => op))
  expect([...counts.keys()].sort()).toEqual(Object.keys(shares).sort())
  for (const [op, share] of Object.entries(shares)) {
    if (share === 1) expect(counts.get(op as Operation['op'])).toBe(draws)
    else expectShare(counts.get(op as Operation['op']) ?? 0, draws, share)
  }
})

describe('ranks', () => {
  const items = 1000
  const zeta = Array.from({ length: items }, (_, rank) => (rank + 1) ** -0.99).reduce(
    (sum, share) => sum + share,
  )

  function ranksOf(zipfian: Zipfian): Map<number, number> {
    const random = seeded(7)
    return countsOf(Array.from({ length: draws }, () => zipfian.rankOf(random())))
  }

  test('the two most popular have exactly the share of the zipf law', () => {
    const counts = ranksOf(new Zipfian(items))
    expectShare(counts.get(0) ?? 0, draws, 1 / zeta)
    expectShare(counts.get(1) ?? 0, draws, 2 ** -0.99 / zeta)
  })

  test('the next ones have it as nearly as the method draws them', () => {
    const counts = ranksOf(new Zipfian(items))
    for (let rank = 2; rank < 30; rank++) {
      const share = (rank + 1) ** -0.99 / zeta
      expectShare(counts.get(rank) ?? 0, draws, share, 0.25 * share)
    }
  })

  test('all together, from the first to any, have the share of the law', () => {
    const counts = ranksOf(new Zipfian(items))
    let count = 0
    let share = 0
    for (let rank = 0; rank < items; rank++) {
      count += counts.get(rank) ?? 0
      share += (rank + 1) ** -0.99 / zeta
      if (share < 0.999) expectShare(count, draws, share, 0.02)
    }
    expect(count).toBe(draws)
  })

  test('grown one by one are those of a generator that began with as many', () => {
    const grown = new Zipfian(10)
    for (let count = 11; count <= items; count++) grown.growTo(count)
    expect(ranksOf(grown)).toEqual(ranksOf(new Zipfian(items)))
  })

  test.each([1, 2, 3])('of %d items stay below that count', (count) => {
    const zipfian = new Zipfian(count)
    for (const dice of [0, 0.25, 0.5, 0.75, 1 - 2 ** -32]) expect(zipfian.rankOf(dice)).toBeLessThan(count)
  })
})

describe('the scrambled zipfian of a, b, c and f', () => {
  // From the sum for ten billion items. Every key also gets an even share of the unpopular ranks.
  const zeta = 26.469_028_201_783_02

  test('the sum for ten billion items is the one that YCSB ships', () => {
    // Euler and Maclaurin: the first hundred terms, and an integral for the rest.
    let sum = 0
    for (let rank = 1; rank < 100; rank++) sum += rank ** -0.99
    sum +=
      (1e10 ** 0.01 - 100 ** 0.01) / 0.01 + (100 ** -0.99 + 1e10 ** -0.99) / 2 + (0.99 * 100 ** -1.99) / 12
    expect(sum).toBeCloseTo(zeta, 6)
  })

  test.each(['a', 'b', 'c', 'f'] as const)('gives the most popular keys of %s their share', (name) => {
    const counts = [...countsOf(run(name).map(({ key }) => key)).values()].sort((a, b) => b - a)
    expectShare(counts[0] ?? 0, draws, 1 / zeta, 0.0005)
    expectShare(counts[1] ?? 0, draws, 2 ** -0.99 / zeta, 0.0005)
    expect(counts.length).toBeGreaterThan(0.99 * records)
    expect(counts.length).toBeLessThanOrEqual(records)
  })

  test('scatters them over the records', () => {
    const keys = [...createWorkload('c', { records, random: seeded(1), size: 0 }).keys()]
    const counts = countsOf(run('c').map(({ key }) => key))
    const popular = [...counts]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 10)
      .map(([key]) => keys.indexOf(key))
    expect(Math.min(...popular)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...popular) - Math.min(...popular)).toBeGreaterThan(records / 4)
  })
})

test('where the same keys stay popular, a million of them are drawn, and then come again in their order', () => {
  const workload = createWorkload('c', { records, random: seeded(1), size: 0 })
  const drawn: string[] = []
  const nextKey = repeatedKeys(() => {
    const key = workload.keyFor('read')
    drawn.push(key)
    return key
  })
  const next = (): string => Buffer.from(nextKey()).toString('latin1')
  const first = Array.from({ length: 1000 }, next)
  expect(first).toEqual(drawn)
  // Keys of YCSB are not all of one length.
  expect(new Set(first.map(({ length }) => length)).size).toBeGreaterThan(1)
  for (let count = first.length; count < keysDrawn; count++) nextKey()
  expect(drawn.length).toBe(keysDrawn)
  expect(Array.from({ length: 1000 }, next)).toEqual(first)
  expect(drawn.length).toBe(keysDrawn)
})

test.each<[WorkloadName, boolean]>([
  ['a', true],
  ['b', true],
  ['c', true],
  ['d', false],
  ['f', true],
])('the keys of %s may come again: %s', (name, isSteady) => {
  expect(createWorkload(name, { records: 3, random: seeded(1), size: 0 }).isSteady).toBe(isSteady)
})

describe('the latest of d', () => {
  test('is the more popular the newer it is, also while records are inserted', () => {
    const zeta = Array.from({ length: records }, (_, rank) => (rank + 1) ** -0.99).reduce(
      (sum, share) => sum + share,
    )
    const ages: number[] = []
    const numbers = new Map<string, number>()
    for (const key of createWorkload('d', { records, random: seeded(1), size: 0 }).keys())
      numbers.set(key, numbers.size)
    for (const { op, key } of run('d')) {
      if (op === 'insert') numbers.set(key, numbers.size)
      else ages.push(numbers.size - 1 - (numbers.get(key) ?? Number.NaN))
    }
    const counts = countsOf(ages)
    expect(Math.min(...counts.keys())).toBe(0)
    // The sum grows a little with the records: by the end it is 7 % larger.
    expectShare(counts.get(0) ?? 0, ages.length, 1 / zeta, 0.08 / zeta)
    expectShare(counts.get(1) ?? 0, ages.length, 2 ** -0.99 / zeta, 0.04 / zeta)
    expect(numbers.size).toBeGreaterThan(records + 0.04 * draws)
  })

  test('reaches back to all records, also when most of them came later', () => {
    const workload = createWorkload('d', { records: 3, random: seeded(1), size: 0 })
    const numbers = new Map([...workload.keys()].map((key, number) => [key, number]))
    let oldest = 0
    for (let count = 0; count < 4000; count++) {
      const { op, key } = nextOf(workload)
      if (op === 'insert') numbers.set(key, numbers.size)
      oldest = Math.max(oldest, numbers.size - 1 - (numbers.get(key) ?? Number.NaN))
    }
    expect(oldest).toBeGreaterThan(100)
  })

  test('inserts a key that was not there', () => {
    const workload = createWorkload('d', { records: 3, random: seeded(1), size: 0 })
    const seen = new Set(workload.keys())
    for (let count = 0; count < 2000; count++) {
      const { op, key } = nextOf(workload)
      expect(seen.has(key)).toBe(op !== 'insert')
      seen.add(key)
    }
  })
})

test('keys are those of YCSB', () => {
  expect([0, 1, 2].map(keyName)).toEqual([
    'user6284781860667377211',
    'user8517097267634966620',
    'user1820151046732198393',
  ])
  // The same hash, written with whole numbers of any size.
  for (const record of [3, 255, 256, 65_536, 9_999_999, 2 ** 33 + 5]) {
    let hash = 0xcbf29ce484222325n
    for (let byte = 0n; byte < 8n; byte++) {
      hash = BigInt.asUintN(64, (hash ^ ((BigInt(record) >> (8n * byte)) & 0xffn)) * 1_099_511_628_211n)
    }
    const signed = BigInt.asIntN(64, hash)
    expect(keyName(record)).toBe(`user${signed < 0n ? -signed : signed}`)
  }
})

test('the same dice make the same run, other dice another', () => {
  expect(run('a', 3, 1000)).toEqual(run('a', 3, 1000))
  expect(run('a', 3, 1000)).not.toEqual(run('a', 4, 1000))
})

test('values have the size, and are printable and not all the same', () => {
  const workload = createWorkload('a', { records, random: seeded(1), size: 100 })
  const values = Array.from({ length: 100 }, () => workload.value())
  for (const value of values) expect(value).toMatch(/^[ -~]{100}$/)
  expect(new Set(values).size).toBeGreaterThan(90)
  const large = createWorkload('a', { records, random: seeded(1), size: 256 * 1024 })
  expect(large.value()).toHaveLength(256 * 1024)
})
