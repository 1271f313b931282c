/** The bytes of a connection under each fault between a node and its clients. */
import { expect, test } from 'vitest'
import { ClientWays } from '../../src/etcd/client-ways.js'
import type { Fault } from '../../src/faults/index.js'

/** Node 1 with these faults. */
function waysOf(...faults: readonly Fault[]): ClientWays {
  const ways = new ClientWays(1)
  ways.set(standingOf(...faults))
  return ways
}

const standingOf = (...faults: readonly Fault[]) =>
  faults.map((fault, id) => ({ id, fault, sinceMs: 0, untilMs: undefined }))

const arriving = [{ from: 'clients', to: 1 }] as const
const leaving = [{ from: 1, to: 'clients' }] as const
const elsewhere = [
  { from: 2, to: 1 },
  { from: 1, to: 2 },
  { from: 'clients', to: 2 },
] as const
const openly = { isOpen: true, delayOf: undefined }

test('without a fault, and with faults of other ways, bytes pass at once', () => {
  for (const ways of [waysOf(), waysOf({ type: 'cut', ways: elsewhere }, { type: 'isolate', nodes: [1] })])
    expect([ways.from, ways.to]).toEqual([openly, openly])
})

test('a pause shuts both ways, and a cut its own', () => {
  const states = (...faults: readonly Fault[]) => {
    const { from, to } = waysOf(...faults)
    return [from.isOpen, to.isOpen]
  }
  expect(states({ type: 'pause', nodes: [1] })).toEqual([false, false])
  expect(states({ type: 'cut', ways: arriving })).toEqual([false, true])
  expect(states({ type: 'cut', ways: leaving })).toEqual([true, false])
})

test('a delay holds bytes of its own way as long as it says, and a throttle as long as they take', () => {
  const delayed = waysOf({ type: 'delay', ways: arriving, delayMs: 80, jitterMs: 0 })
  expect(Math.round(delayed.from.delayOf?.(10)() ?? 0)).toBe(80)
  expect(delayed.to).toEqual(openly)
  const throttled = waysOf({ type: 'throttle', ways: leaving, bytesPerSecond: 1000 })
  expect(throttled.to.delayOf?.(100)()).toBeCloseTo(100, -1)
  expect(throttled.to.delayOf?.(100)()).toBeGreaterThan(150)
  expect(throttled.from).toEqual(openly)
})

test('what is lost is sent again, later each time, and comes in the end', () => {
  const never = waysOf({ type: 'drop', ways: arriving, share: 1 })
  expect(never.from.delayOf?.(1)()).toBe(200 * (2 ** 8 - 1))
  const half = waysOf({ type: 'drop', ways: arriving, share: 0.5 })
  const delays = new Set(Array.from({ length: 100 }, () => half.from.delayOf?.(1)()))
  expect([...delays]).toEqual(expect.arrayContaining([0, 200, 600]))
})

test('each change of the faults counts from then on', () => {
  const ways = waysOf({ type: 'pause', nodes: [1] })
  ways.set([])
  expect([ways.from, ways.to]).toEqual([openly, openly])
})

test('bytes on their way are delayed by those faults only that still stand', () => {
  const faults: Fault[] = [
    { type: 'delay', ways: arriving, delayMs: 80, jitterMs: 0 },
    { type: 'delay', ways: arriving, delayMs: 20_000, jitterMs: 0 },
    { type: 'drop', ways: arriving, share: 1 },
  ]
  const ways = waysOf(...faults)
  const delay = ways.from.delayOf?.(10)
  expect(delay?.()).toBe(200 * (2 ** 8 - 1))
  const late = waysOf(...faults.slice(0, 2))
  const lateDelay = late.from.delayOf?.(10)
  expect(lateDelay?.()).toBe(20_080)
  late.set(standingOf(...faults).slice(0, 1))
  expect(lateDelay?.()).toBe(80)
  ways.set(standingOf(...faults).slice(0, 2))
  expect(delay?.()).toBe(0)
})
