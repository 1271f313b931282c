/** Priorities: which nodes never lead, and which are preferred. */
import { expect, test } from 'vitest'
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

test('a leader hands over to a node of a higher priority by itself', async () => {
  const cluster = await startedCluster({ ...calm, priorities: { 2: 5 } })
  await cluster.put('a', 'b')
  if (cluster.leaderId !== 2) {
    const led = await nextEvent(cluster, ({ type, nodeId, ...rest }) => {
      return type === 'role' && nodeId === 2 && 'role' in rest && rest.role === 'leader'
    })
    expect(led.nodeId).toBe(2)
  }
  await cluster.put('a', 'c')
  expect(cluster.leaderId).toBe(2)
})

test.each([
  [{ priorities: { 1: 0, 2: 0, 3: 0 } }, 'priorities: a node of 1, 2, 3 with a priority above 0'],
  [{ priorities: { 1: 101 } }, 'priorities: a whole number from 0 to 100, not 101'],
  [{ priorities: { first: 0 } }, 'priorities: an object of priorities by node ids'],
  [{ priorities: 3 as never }, 'priorities: an object of priorities by node ids'],
])('[CA9] %j is refused with what is expected', async (options, why) => {
  expect((await refusalOf(options)).message).toContain(why)
})
