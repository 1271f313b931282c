/** A look at a cluster reads what its nodes have told, and asks none of them. */
import { expect, test } from 'vitest'
import type { Cluster, NodeLook } from '../../src/cluster/index.js'
import type { NodeId } from '../../src/raft/index.js'
import { brokenCluster, leads, statusOf, until, writes } from './broken.js'
import { nodesLedBy } from './nodes.js'
import { startedCluster } from './support.js'

function lookAt(cluster: Cluster, nodeId: NodeId): NodeLook {
  const look = cluster.look().nodes.find((node) => node.nodeId === nodeId)
  if (look === undefined) throw new Error(`no node ${nodeId}`)
  return look
}

/** The vitals of the leader, once it holds its lease and all others have all of its log and answered heartbeats. */
async function settledLeader(cluster: Cluster): Promise<NodeLook> {
  let settled: NodeLook | undefined
  await until(() => {
    const { leaderId } = cluster
    if (leaderId === undefined) return false
    const { lastIndex } = statusOf(cluster, leaderId)
    settled = lookAt(cluster, leaderId)
    const { progress = [], isLeaseHeld = false } = settled.vitals ?? {}
    const hasAll = progress.length === 2 && progress.every(({ matchIndex }) => matchIndex === lastIndex)
    return hasAll && isLeaseHeld && settled.roundTrips.size === 2
  })
  return settled ?? lookAt(cluster, 0)
}

test.each(['threads', 'inline'] as const)(
  'on host %s each node tells its vitals and latencies',
  async (host) => {
    const { cluster } = await brokenCluster({ host, nodes: 3 })
    await Promise.all(Array.from({ length: 100 }, (_, n) => cluster.put(`key ${n}`, 'v')))
    const { nodeId: leader, vitals, roundTrips } = await settledLeader(cluster)
    // The lateness of ticks is counted with the first of them.
    await until(() => cluster.look().nodes.every(({ ticksLate }) => ticksLate.count > 0))
    const others = [1, 2, 3].filter((nodeId) => nodeId !== leader)
    expect(vitals?.progress.map(({ nodeId }) => nodeId).sort()).toEqual(others)
    expect([...roundTrips.keys()].sort()).toEqual(others)
    for (const { nodeId, flushes, ticksLate, vitals: own } of cluster.look().nodes) {
      expect(flushes.count).toBeGreaterThan(0)
      expect(flushes.count).toBeLessThanOrEqual(statusOf(cluster, nodeId).flushes)
      expect(ticksLate.count).toBeGreaterThan(0)
      expect(own?.terms[0]?.firstIndex).toBe(1)
      expect(own?.electionTimeoutTicks).toBeGreaterThan(0)
    }
    await until(() => cluster.look().nodes.some(({ heartbeatsLate }) => heartbeatsLate.count > 0))
  },
)

test('[LK5] calls and the event loop of the program are timed', async () => {
  const { cluster } = await brokenCluster()
  const { answered } = cluster.look().calls
  await Promise.all(Array.from({ length: 100 }, (_, n) => cluster.put(`key ${n}`, 'v')))
  await cluster.get('key 1')
  const { calls, loopLate } = cluster.look()
  const since = calls.answered.since(answered)
  expect(since.count).toBe(101)
  expect(since.percentile(50)).toBeGreaterThan(0)
  await until(() => cluster.look().loopLate.count > loopLate.count)
})

test('[LK1][LK2] a frozen node and a dead one show what they told last, and the next life counts on', async () => {
  const { cluster, leader, others } = await brokenCluster()
  const [frozen = 0, dead = 0] = others
  await cluster.pause(frozen)
  await cluster.kill(dead)
  const [told, toldByDead] = [lookAt(cluster, frozen), lookAt(cluster, dead)]
  expect(told.vitals?.electionTimeoutTicks).toBeGreaterThan(0)
  const { atMs = 0 } = lookAt(cluster, leader).vitals ?? {}
  await until(() => (lookAt(cluster, leader).vitals?.atMs ?? 0) > atMs + 200)
  expect(lookAt(cluster, frozen)).toEqual(told)
  expect(lookAt(cluster, dead)).toEqual(toldByDead)
  await cluster.restart(dead)
  await cluster.heal()
  await until(() => (lookAt(cluster, frozen).vitals?.atMs ?? 0) > (told.vitals?.atMs ?? 0))
  await writes(cluster, 'a')
  await until(() => lookAt(cluster, dead).flushes.count > toldByDead.flushes.count)
})

test('the votes of a candidate that does not win are seen', async () => {
  const cluster = await startedCluster({ nodes: 5 })
  await writes(cluster, 'a')
  await cluster.partition([
    [1, 2, 3],
    [4, 5],
  ])
  await leads(cluster, 4, 5)
  await until(() => [4, 5].some((nodeId) => lookAt(cluster, nodeId).vitals?.votes.length === 2))
})

test('messages between nodes are told from the call on, each end of each', async () => {
  const { cluster } = await brokenCluster()
  const messages = cluster.messages()
  const came = new Set<string>()
  const isHeardBy = (leader: NodeId, other: NodeId): boolean =>
    leader === other || (came.has(`sent ${leader} ${other}`) && came.has(`received ${other} ${leader}`))
  await until(() => {
    for (const { direction, nodeId, peer, type } of messages.take(1000).carried)
      if (type === 'heartbeat') came.add(`${direction} ${nodeId} ${peer}`)
    return [1, 2, 3].some((leader) => [1, 2, 3].every((other) => isHeardBy(leader, other)))
  })
})

test('[LK5] calls that end with an error are counted by its code, whether they were sent or refused', async () => {
  const nodes = await nodesLedBy(1)
  const unsent = nodes.call('propose', 'a')
  nodes.client.close()
  await expect(unsent).rejects.toMatchObject({ code: 'STOPPED' })
  await expect(nodes.call('propose', 'b')).rejects.toMatchObject({ code: 'STOPPED' })
  expect([...nodes.client.calls.read().failed]).toEqual([['STOPPED', 2]])
})

test('[LK5] a read at a node that does not run is counted as refused', async () => {
  const cluster = await startedCluster({ nodes: 1 })
  await expect(cluster.get('a', { from: 9 })).rejects.toMatchObject({ code: 'INVALID_COMMAND' })
  expect([...cluster.look().calls.failed]).toEqual([['INVALID_COMMAND', 1]])
})

test('a look tells how far a leader knows the others to be as it is now, not as of its last tick', async () => {
  const calm = { heartbeatIntervalMs: 5000, electionTimeoutMs: 30_000 }
  const cluster = await startedCluster({ ...calm, host: 'inline' })
  await cluster.put('a', '1')
  const { leaderId = 0 } = cluster
  const { commitIndex } = statusOf(cluster, leaderId)
  const { progress = [] } = lookAt(cluster, leaderId).vitals ?? {}
  const known = progress.map(({ matchIndex }) => matchIndex)
  expect(Math.max(...known)).toBeGreaterThanOrEqual(commitIndex)
  for (const { nextIndex, matchIndex } of progress) expect(nextIndex).toBeGreaterThan(matchIndex)
})
