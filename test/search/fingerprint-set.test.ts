/** The set of the worlds that a search has seen: a world that is taken for a new one would be searched and counted again. */
import { expect, test } from 'vitest'
import { Random } from '../../src/raft/index.js'
import { FingerprintSet } from '../../src/search/fingerprint-set.js'

test('a fingerprint is new once, in whatever form its halves come', () => {
  const set = new FingerprintSet(new ArrayBuffer(FingerprintSet.bytesFor(1000)))
  for (const [low, high] of [
    [5, 3_000_000_000],
    [-1, 2 ** 31],
    [2 ** 32 + 7, -(2 ** 33) - 1],
    [0, 0],
  ] as const) {
    expect(set.add(low, high)).toBe(true)
    expect(set.add(low, high)).toBe(false)
    expect(set.add(low | 0, high | 0)).toBe(false)
  }
})

test('the set has what was added, each once', () => {
  const random = new Random(7)
  const set = new FingerprintSet(new ArrayBuffer(FingerprintSet.bytesFor(5000)))
  const added = new Set<string>()
  for (let count = 0; count < 20_000; count++) {
    const [low, high] = [random.below(60) - 30, random.below(60) * 2 ** 27]
    const text = `${low || 1} ${high | 0 || 1}`
    expect(set.add(low, high)).toBe(!added.has(text))
    added.add(text)
  }
  const found = new Set<string>()
  set.forEach((low, high) => void found.add(`${low} ${high}`))
  expect(found).toEqual(added)
})
