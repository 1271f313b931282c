import { expect, test } from 'vitest'
import type { Message } from '../../src/raft/index.js'
import { HeartbeatWatch } from '../../src/telemetry/heartbeat-watch.js'
import { Counters, SharedHistogram } from '../../src/telemetry/index.js'

const intervalMs = 50

/** What is counted and told when heartbeats, or other messages, arrive at the given times. */
function watch(
  arrivals: readonly ('leads' | readonly [atMs: number, change?: { from?: number; mode?: string }])[],
) {
  let nowMs = 0
  const counters = new Counters(Counters.allocate())
  const late: number[] = []
  const shown = new SharedHistogram(new ArrayBuffer(SharedHistogram.byteLength))
  const heartbeats = new HeartbeatWatch(() => nowMs, intervalMs, counters, shown)
  for (const arrival of arrivals) {
    if (arrival === 'leads') {
      heartbeats.leads()
      continue
    }
    const [atMs, change] = arrival
    nowMs = atMs
    heartbeats.received({ type: 'appendEntries', mode: 'heartbeat', from: 1, ...change } as Message)
    const taken = heartbeats.takeLateness()
    if (taken.count > 0) late.push(taken.min / 1000)
  }
  // Others see the same in shared memory.
  const sumMs = late.reduce((sum, lateMs) => sum + lateMs, 0)
  expect(shown.read()).toMatchObject({ count: late.length, sumUs: sumMs * 1000 })
  return { late, received: counters.get('heartbeatsReceived'), missed: counters.get('heartbeatsMissed') }
}

test('[CO2] lateness is the time since the last heartbeat less the interval, and early is not late', () => {
  expect(watch([[0], [50], [107], [140]])).toEqual({ late: [0, 7, 0], received: 4, missed: 0 })
})

test('each whole interval without a heartbeat is one missed', () => {
  expect(watch([[0], [99]]).missed).toBe(0)
  expect(watch([[0], [100]]).missed).toBe(1)
  expect(watch([[0], [100], [270]]).missed).toBe(3)
})

test('[CO2] rounds that reads bring are received, and hide no lateness behind many that were on time', () => {
  const reads = [1, 2, 3, 4].map((ms) => [ms] as const)
  expect(watch([[0], ...reads, [94], [95]])).toEqual({ late: [40], received: 7, missed: 0 })
})

test('[CO2] the time until another leader is heard has whole intervals without a heartbeat, and is no lateness of its heartbeats', () => {
  expect(watch([[0], [500, { from: 2 }], [560, { from: 2 }]])).toEqual({ late: [10], received: 3, missed: 9 })
})

test('while a node leads itself, it misses no heartbeat', () => {
  expect(watch([[0], 'leads', [500, { from: 2 }], [560, { from: 2 }]])).toMatchObject({
    late: [10],
    missed: 0,
  })
})

test('entries that travel between heartbeats are none', () => {
  expect(watch([[0], [30, { mode: 'replication' }], [60]])).toEqual({ late: [10], received: 2, missed: 0 })
})
