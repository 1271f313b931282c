/** Priorities: which nodes never lead, and which are preferred. */
import { expect, test } from 'vitest'
import type { ClusterEvent } from '../../src/cluster/index.js'
import { nextEvent, refusalOf, startedCluster } from './support.js'

const calm = { heartbeatIntervalMs: 50, electionTimeoutMs: 600 }

test('a node of priority 0 never leads, and nobody hands over to it', async () => {
  const cluster = await startedCluster({ ...calm, priorities: { 1: 0, 2: 0 } })
  await cluster.put('a', 'b')
  expect(cluster.leaderId).toBe(3)
  const refusal = await cluster.transfer(1).catch((error: Error) => error)
  expect(refusal).toMatchObject({
    code: 'INVALID_CHANGE',
    message: expect.stringContaining('node 1 has priority 0, and never leads'),
  })
  expect(cluster.leaderId).toBe(3)
})

test('[MB15] the only voter that may lead is neither removed nor demoted, and is replaced', async () => {
  const cluster = await startedCluster({ priorities: { 2: 0, 3: 0 } })
  await cluster.put('a', '1')
  const why = 'the voters that would be left (2, 3) have priority 0, and never lead'
  for (const change of [cluster.removeNode, cluster.demote])
    await expect(change(1)).rejects.toMatchObject({
      code: 'INVALID_CHANGE',
      message: expect.stringContaining(why),
    })
  expect(cluster.leaderId).toBe(1)
  expect(await cluster.replaceNode(1)).toBe(4)
  await cluster.put('b', '2')
})

test('a leader hands over to a node of a higher priority by itself', async () => {
  const cluster = await startedCluster({ ...calm, priorities: { 2: 5 } })
  const leads = (event: ClusterEvent): boolean => event.type === 'role' && event.role === 'leader'
  await cluster.put('a', 'b')
  const another = nextEvent(cluster, leads)
  await cluster.pause(2)
  expect((await another).nodeId).not.toBe(2)
  const preferred = nextEvent(cluster, (event) => leads(event) && event.nodeId === 2)
  await cluster.resume(2)
  await preferred
  await cluster.put('a', 'c')
  expect(cluster.leaderId).toBe(2)
})

test('[MB13] a node of the highest priority campaigns at once in a new cluster, and the first call waits for no timeout', async () => {
  const cluster = await startedCluster({
    heartbeatIntervalMs: 1000,
    electionTimeoutMs: 60_000,
    priorities: { 3: 2 },
  })
  await cluster.put('a', 'b')
  expect(cluster.leaderId).toBe(3)
  const [first] = cluster.story().happened.filter(({ type }) => type === 'role')
  expect(first).toMatchObject({ nodeId: 3, role: 'preCandidate', reason: 'campaign' })
})

test.each([
  [{ priorities: { 1: 0, 2: 0, 3: 0 } }, 'priorities: a node of 1, 2, 3 with a priority above 0'],
  [{ priorities: { 1: 101 } }, 'priorities: a whole number from 0 to 100, not 101'],
  [{ priorities: { first: 0 } }, 'priorities: an object of priorities by node ids'],
  [{ priorities: 3 as never }, 'priorities: an object of priorities by node ids'],
])('[CA9] %j is refused with what is expected', async (options, why) => {
  expect((await refusalOf(options)).message).toContain(why)
})
