import { expect, test } from 'vitest'
import { Bound } from '../../src/shrink/index.js'
import { minimized } from '../../src/shrink/minimize.js'

const numbers = Array.from({ length: 100 }, (_, at) => at)

function failingWith(needed: readonly number[]) {
  return (items: readonly number[]) => (needed.every((each) => items.includes(each)) ? items : undefined)
}

test.each([[[]], [[0]], [[99]], [[3, 50, 51, 98]]])('of a hundred items, those in %j are left', (needed) => {
  expect(minimized(numbers, failingWith(needed), new Bound())).toEqual(needed)
})

test('an item that is needed only for another one goes after it', () => {
  const failing = (items: readonly number[]) => {
    const isPair = items.includes(10) || !items.includes(90)
    return items.includes(40) && isPair ? items : undefined
  }
  expect(minimized(numbers, failing, new Bound())).toEqual([40])
})

test('items that a failure did not need are gone with the others', () => {
  const runs: number[] = []
  const failing = (items: readonly number[]) => {
    runs.push(items.length)
    return items.includes(7) ? items.filter((each) => each <= 7) : undefined
  }
  expect(minimized(numbers, failing, new Bound())).toEqual([7])
  expect(runs.length).toBeLessThan(20)
})

test('a bound that is reached leaves the list as it is', () => {
  const bound = new Bound()
  bound.end()
  expect(minimized(numbers, failingWith([1]), bound)).toEqual(numbers)
})
