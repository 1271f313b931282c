import { expect, test } from 'vitest'
import { type Cluster, pendingBytesMax } from '../../src/cluster/index.js'
import { fill } from '../../src/load/calls.js'
import { Tally } from '../../src/load/tally.js'
import { createWorkload } from '../../src/load/workload.js'

test('of calls that are answered together each counts, with its commands and its latency', () => {
  const tally = new Tally()
  tally.open()
  for (let call = 0; call < 3; call++) tally.answered('put', 1, 3, 16)
  expect([tally.callsSoFar, tally.commandsSoFar, tally.commands]).toEqual([3, 48, 48])
  tally.answered('put', 1, 3, 1)
  tally.answered('put', 2, 3, 31)
  tally.answered('read', 2, 3, 0)
  tally.answered('read', 2, 3.5, 0)
  tally.close()
  expect([tally.callsSoFar, tally.commandsSoFar, tally.commands]).toEqual([7, 80, 80])
  expect(tally.latencies).toMatchObject({ count: 7, p50ms: 2, maxMs: 2 })
  expect(tally.latenciesByOperation).toMatchObject({
    put: { count: 5, p50ms: 2, maxMs: 2 },
    read: { count: 2, p50ms: 1, maxMs: 1.5 },
  })
})

test('what is answered before the window or behind it is progress, and no figure', () => {
  const tally = new Tally()
  tally.answered('put', 0, 1, 1)
  tally.open()
  tally.answered('put', 0, 1, 1)
  tally.answered('put', 0, 1, 1)
  tally.close()
  tally.answered('put', 0, 1, 1)
  expect([tally.callsSoFar, tally.commandsSoFar, tally.commands, tally.latencies.count]).toEqual([4, 4, 2, 2])
})

test('the longest time without an answer counts from the opening of the window to its end', () => {
  let nowMs = 100
  const tally = new Tally(() => nowMs)
  tally.open()
  tally.answered('put', 100, 130, 1)
  tally.answered('put', 130, 150, 1)
  expect(tally.unavailableMs).toBe(30)
  nowMs = 190
  expect(tally.unavailableMs).toBe(40)
  tally.answered('put', 150, 185, 1)
  tally.close()
  nowMs = 300
  expect(tally.unavailableMs).toBe(35)
})

test('a cut tells of what was answered since the one before', () => {
  const tally = new Tally()
  tally.open()
  tally.answered('put', 0, 2, 1)
  tally.answered('put', 0, 2, 1)
  expect(tally.cut()).toEqual({ commands: 2, p99ms: 2 })
  tally.answered('put', 0, 1, 1)
  expect(tally.cut()).toEqual({ commands: 1, p99ms: 1 })
  expect(tally.cut()).toEqual({ commands: 0, p99ms: 0 })
  tally.close()
  expect(tally.latencies).toMatchObject({ count: 3, maxMs: 2 })
})

test('the records that a workload begins with are progress, which never goes back, and in no figure', async () => {
  let nowMs = 0
  const tally = new Tally(() => nowMs)
  const cluster = {
    put: async () => {
      nowMs += 1
      return { index: 1, revision: 1 }
    },
  } as unknown as Cluster
  await fill(cluster, tally, createWorkload('c', { records: 700, random: () => 0.5, size: 10 }))
  expect(tally.commandsSoFar).toBe(700)
  tally.open()
  tally.close()
  expect([tally.commandsSoFar, tally.commands, tally.latencies.count]).toEqual([700, 0, 0])
  expect(tally.firstHundredP50ms).toBe(0)
  tally.answered('read', 3, 10, 0)
  expect(tally.firstHundredP50ms).toBeCloseTo(7, 1)
})

test('large records are put a few at a time, so that they fit into the room of their client', async () => {
  const size = 256 << 10
  let [underWay, most] = [0, 0]
  const store = {
    put: async () => {
      most = Math.max(most, ++underWay)
      await Promise.resolve()
      underWay--
    },
  }
  await fill(
    store as unknown as Cluster,
    new Tally(),
    createWorkload('a', { records: 700, random: () => 0.5, size }),
  )
  expect(most * size).toBeLessThanOrEqual(pendingBytesMax / 2)
})
