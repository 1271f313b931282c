/** Clients of etcd's API on a cluster under faults: what they were told is judged. */
import { expect, test } from 'vitest'
import { judge } from './chaos/judge.js'
import { runChaos } from './chaos/run.js'

test('clients that retry at other members find all promises kept under faults', async () => {
  const { history, faults, breaks } = await runChaos({ seed: 1, seconds: 12 })
  expect(judge(history)).toEqual([])
  // A run in which nothing happened proves nothing.
  const { writes, reads, leases } = history
  const done = writes.filter(({ outcome }) => typeof outcome !== 'string')
  expect(Math.min(done.length, reads.length)).toBeGreaterThan(10)
  expect(leases.length).toBeGreaterThan(1)
  expect([...faults.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(2)
  expect(breaks).toBeGreaterThan(0)
}, 90_000)
