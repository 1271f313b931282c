/** Waiting for a node by looks into its memory: each wait ends in time, and no timer runs while nothing waits. */
import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { Progress } from '../../src/etcd/progress.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A node whose counters the test sets. */
function node() {
  const counters = { lastApplied: 5, leaderId: 1, looks: 0 }
  const progress = new Progress({
    get(name) {
      counters.looks++
      return name === 'lastApplied' ? counters.lastApplied : name === 'leaderId' ? counters.leaderId : 0
    },
  })
  onTestFinished(() => progress.close())
  return { counters, progress }
}

/** More time than there is between two looks. */
const laterMs = 100
const later = () => vi.advanceTimersByTimeAsync(laterMs)

test('each wait ends once the node has applied its index, without any other call', async () => {
  const { counters, progress } = node()
  await progress.applied(5)
  const told: number[] = []
  const waits = [6, 8, 7].map((index) => progress.applied(index).then(() => told.push(index)))
  await later()
  expect(told).toEqual([])
  counters.lastApplied = 7
  await later()
  expect(told).toEqual([6, 7])
  counters.lastApplied = 8
  await later()
  await Promise.all(waits)
  expect(told).toEqual([6, 7, 8])
})

test('a deadline ends a wait with no, and an index that was applied in time with yes', async () => {
  const { counters, progress } = node()
  const late = progress.appliedBy(6, performance.now() + 20)
  const far = progress.appliedBy(7, performance.now() + 600_000)
  await later()
  expect(await late).toBe(false)
  counters.lastApplied = 7
  await later()
  expect(await far).toBe(true)
  expect(await progress.appliedBy(7, performance.now() - 1)).toBe(true)
})

test('a wait that is given up, and one that is over, leave no listener at their signal', async () => {
  const { counters, progress } = node()
  const signal = new AbortController()
  const given = progress.applied(100, signal.signal)
  const over = progress.applied(6, signal.signal)
  counters.lastApplied = 6
  await later()
  await over
  expect(getEventListeners(signal.signal, 'abort')).toHaveLength(1)
  signal.abort()
  await given
  expect(getEventListeners(signal.signal, 'abort')).toEqual([])
  await progress.applied(100, signal.signal)
})

test('a listener hears of each move, by a timer or by a look, and of another leader', async () => {
  const { counters, progress } = node()
  let heard = 0
  const end = progress.onProgress(() => heard++)
  await later()
  expect(heard).toBe(1)
  counters.lastApplied = 6
  progress.look()
  expect(heard).toBe(2)
  progress.look()
  expect(heard).toBe(2)
  counters.leaderId = 0
  await later()
  expect(heard).toBe(3)
  end()
  counters.lastApplied = 7
  progress.look()
  await later()
  expect(heard).toBe(3)
})

test('without a wait or a listener, no timer looks', async () => {
  const { counters, progress } = node()
  const end = progress.onProgress(() => undefined)
  await later()
  expect(counters.looks).toBeGreaterThan(2)
  end()
  // The look that was due already is the last.
  await later()
  expect(vi.getTimerCount()).toBe(0)
  const { looks } = counters
  progress.look()
  await later()
  expect(counters.looks).toBe(looks)
})

test('closing ends all waits', async () => {
  const { progress } = node()
  const waits = [progress.applied(6), progress.appliedBy(7, performance.now() + 600_000)]
  progress.close()
  expect(await Promise.all(waits)).toEqual([undefined, false])
  expect(await progress.appliedBy(7, performance.now() + 600_000)).toBe(false)
})
