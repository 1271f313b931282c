import { expect, test } from 'vitest'
import { search } from '../../src/jobs/index.js'
import type { Bounds } from '../../src/search/index.js'
import { boundsOf, searched } from './planted.js'

/** Small spaces, and how many worlds they have. A change of the protocol may change a count: it says what else can happen. */
const spaces: readonly (readonly [Partial<Bounds>, number])[] = [
  [{ nodes: 1, terms: 3, entries: 2, crashes: 2 }, 29],
  [{ nodes: 2, terms: 1, entries: 2, heartbeats: 1 }, 676],
  [{ nodes: 2, terms: 1, slowWrites: 2, crashes: 1 }, 198],
  [{ nodes: 2, terms: 1, changes: 1 }, 31],
  [{ nodes: 2, terms: 2 }, 359],
  [{ nodes: 2, terms: 2, transfers: 1 }, 461],
  [{ terms: 1 }, 709],
  [{ terms: 1, duplicates: 1 }, 6038],
  [{ terms: 1, entries: 1, crashes: 1 }, 9915],
]

test.each(spaces)('a search sees every world of %j', { timeout: 60_000 }, (bounds, states) => {
  expect(searched(bounds)).toEqual({ states, stop: 'no', broken: undefined })
})

test.each([1, 2, 3])('%d threads see the same worlds, each once', { timeout: 120_000 }, async (threads) => {
  const { queue: _, ...result } = await search({
    bounds: boundsOf({ terms: 1, entries: 1, crashes: 1 }),
    threads,
    statesMax: 100_000,
  })
  const figures = { states: 9915, transitions: 31_168, depth: 21 }
  expect(result).toEqual({ ...figures, stop: 'no', broken: undefined })
})

test('the figures of a space that ends before the threads part are those of one thread', async () => {
  const bounds = boundsOf({ nodes: 1, terms: 2, entries: 2, crashes: 1 })
  const [one, three] = await Promise.all(
    [1, 3].map((threads) => search({ bounds, threads, statesMax: 1000 })),
  )
  expect(three).toEqual(one)
})

test('worlds that differ in the names of their nodes are one: at most six of them', () => {
  const [merged, apart] = [true, false].map((areMerged) => searched({ terms: 1 }, areMerged))
  expect(merged).toEqual({ states: 709, stop: 'no', broken: undefined })
  expect(apart).toEqual({ states: 4135, stop: 'no', broken: undefined })
  expect(6 * 709).toBeGreaterThanOrEqual(4135)
})

test('a search ends with as many worlds as it may keep', { timeout: 60_000 }, async () => {
  const { states, stop } = await search({ bounds: boundsOf({ terms: 3 }), threads: 2, statesMax: 2000 })
  expect(stop).toBe('full')
  expect(states).toBeGreaterThanOrEqual(2000)
  expect(states).toBeLessThan(10_000)
})

test('a search that is interrupted says so', { timeout: 60_000 }, async () => {
  const interruption = new AbortController()
  const progress = (): void => interruption.abort()
  const { stop } = await search({
    bounds: boundsOf({ terms: 3 }),
    threads: 1,
    progress,
    signal: interruption.signal,
  })
  expect(stop).toBe('asked')
})

test('all threads of a search end, whoever stops it and whenever', { timeout: 60_000 }, async () => {
  for (let round = 0; round < 12; round++) {
    const interruption = new AbortController()
    if (round % 2 === 1) setTimeout(() => interruption.abort(), 150 + 10 * round)
    const { stop } = await search({
      bounds: boundsOf({ terms: 3 }),
      threads: 3,
      statesMax: round % 2 === 0 ? 300 + 100 * round : 10_000_000,
      signal: interruption.signal,
    })
    expect(stop).toBe(round % 2 === 0 ? 'full' : 'asked')
  }
})

test('a search that is given up before it begins sees next to nothing', { timeout: 60_000 }, async () => {
  const { stop } = await search({ bounds: boundsOf({ terms: 3 }), threads: 2, signal: AbortSignal.abort() })
  expect(stop).toBe('asked')
})
