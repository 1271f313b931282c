import { expect, test } from 'vitest'
import { isMet, ratioOf, spreadOf, type Target } from '../../bench/peers/ratio.js'

test.each([
  ['an odd number of rounds', [3, 1, 2], { min: 1, median: 2, max: 3 }],
  ['an even number of rounds', [4, 1, 2, 10], { min: 1, median: 3, max: 10 }],
  ['one round', [0.5], { min: 0.5, median: 0.5, max: 0.5 }],
  ['numbers that would be sorted otherwise as text', [10, 9, 100], { min: 9, median: 10, max: 100 }],
])('the spread of %s', (_, values, spread) => {
  expect(spreadOf(values)).toEqual(spread)
})

test('no round has no spread', () => {
  expect(spreadOf([])).toBeUndefined()
})

test('a ratio is ours to theirs, and there is none without both', () => {
  expect(ratioOf(3, 2)).toBe(1.5)
  expect(ratioOf(undefined, 2)).toBeUndefined()
  expect(ratioOf(3, undefined)).toBeUndefined()
  expect(ratioOf(3, 0)).toBeUndefined()
  expect(ratioOf(0, 0)).toBeUndefined()
})

test.each<[string, Target, number, boolean]>([
  ['more than at least so much', { atLeast: 3 }, 3.1, true],
  ['exactly at least so much', { atLeast: 3 }, 3, true],
  ['less than at least so much', { atLeast: 3 }, 2.9, false],
  ['less than at most so much', { atMost: 0.25 }, 0.2, true],
  ['exactly at most so much', { atMost: 0.25 }, 0.25, true],
  ['more than at most so much', { atMost: 0.25 }, 0.26, false],
])('%s', (_, target, median, met) => {
  // Neither the best nor the worst round decides.
  expect(isMet(target, { min: 0, median, max: 100 })).toBe(met)
})
