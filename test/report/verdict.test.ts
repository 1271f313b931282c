import { describe, expect, test } from 'vitest'
import { decide, mannWhitney, medianOf, relativeChange } from '../../src/report/verdict.js'

describe('the exact Mann-Whitney test', () => {
  // Tables of the exact distribution: of all ways to deal, those at least as uneven.
  test.each([
    [[1, 2, 3], [4, 5, 6], 2 / 20],
    [[1, 2, 3, 4], [5, 6, 7, 8], 2 / 70],
    [[1, 2, 3, 5], [4, 6, 7, 8], 4 / 70],
    [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], 2 / 252],
    [[1, 4], [2, 3], 1],
    [[5, 5, 5], [5, 5, 5], 1],
    // With equal values: ranks 1.5 1.5 | 3.5 3.5, and two of the six ways are as uneven.
    [[1, 1], [2, 2], 2 / 6],
  ])('of %j and %j', (first, second, probability) => {
    expect(mannWhitney(first, second)).toBeCloseTo(probability, 12)
    expect(mannWhitney(second, first)).toBeCloseTo(probability, 12)
  })
})

describe('the Mann-Whitney test of many values', () => {
  const drawn = (count: number, step: number, from: number) =>
    Array.from({ length: count }, (_, at) => from + ((at * step) % 101))

  test('comes near to the exact one', () => {
    for (const from of [0, 5, 10, 20, 40]) {
      const [first, second] = [drawn(20, 37, 0), drawn(20, 53, from)]
      // One value more on either side makes the count too large, and hardly moves the probability.
      const exact = mannWhitney(first, second)
      const near = mannWhitney([...first, 50], [...second, 50 + from])
      expect(Math.abs(near - exact)).toBeLessThan(0.06)
    }
  })

  test('is decided at once, also of equal values', () => {
    const many = drawn(100, 37, 0)
    expect(mannWhitney(many, many)).toBeCloseTo(1, 1)
    expect(
      mannWhitney(
        many,
        many.map((value) => value + 200),
      ),
    ).toBeLessThan(1e-9)
    expect(mannWhitney(Array(100).fill(5), Array(100).fill(5))).toBe(1)
  })
})

describe('the decision', () => {
  const quiet = [100, 101, 102, 103, 104]

  test.each([
    ['five rounds, all above', quiet, [120, 121, 122, 123, 124], 'higher', 'mann-whitney'],
    ['five rounds, all below', [120, 121, 122, 123, 124], quiet, 'lower', 'mann-whitney'],
    ['five rounds, mixed', quiet, [99, 101.5, 102.5, 103.5, 130], 'same', 'mann-whitney'],
    [
      'five rounds, sure but of no matter',
      [1000, 1001, 1002, 1003, 1004],
      [1005, 1006, 1007, 1008, 1009],
      'same',
      'mann-whitney',
    ],
    ['one round that strayed', quiet, [120, 121, 122, 123, 99], 'same', 'mann-whitney'],
    ['three rounds, apart', [100, 101, 102], [120, 121, 122], 'higher', 'ranges'],
    ['three rounds, apart downwards', [120, 121, 122], [100, 101, 102], 'lower', 'ranges'],
    ['three rounds that touch', [100, 101, 120], [120, 121, 122], 'same', 'ranges'],
    ['three rounds, apart by little', [100, 101, 102], [103, 104, 105], 'same', 'ranges'],
    ['one round, far', [100], [126], 'higher', 'threshold'],
    ['one round, far downwards', [100], [74], 'lower', 'threshold'],
    ['one round, near', [100], [124], 'same', 'threshold'],
    ['one round against five', [150], quiet, 'lower', 'threshold'],
    ['nothing but zeros', [0, 0, 0, 0], [0, 0, 0, 0], 'same', 'mann-whitney'],
    ['from nothing to something', [0], [1], 'higher', 'threshold'],
    ['negative values', [-10], [-5], 'higher', 'threshold'],
  ])('%s', (_, before, after, verdict, method) => {
    expect(decide(before, after)).toMatchObject({ verdict, method })
  })

  test('how often chance would say so is told, unless the noise is unknown', () => {
    expect(decide(quiet, quiet).chance).toBe(0.05)
    expect(decide([1, 2, 3], [1, 2, 3]).chance).toBeCloseTo(0.1)
    expect(decide([1], [1, 2, 3]).chance).toBeUndefined()
  })
})

test('the median of an even number of values lies between the middle two', () => {
  expect([medianOf([3, 1, 2]), medianOf([4, 1, 3, 2]), medianOf([7])]).toEqual([2, 2.5, 7])
})

test('a change is told of the value before', () => {
  expect(relativeChange(80, 100)).toBeCloseTo(0.25)
  expect(relativeChange(-10, -5)).toBeCloseTo(0.5)
  expect([relativeChange(0, 3), relativeChange(0, 0)]).toEqual([Number.POSITIVE_INFINITY, 0])
})
