/** Changes of the members while nodes die, stand still and hear nothing. */
import { expect, test } from 'vitest'
import type { Cluster } from '../../src/cluster/index.js'
import { convergedHashes, nextEvent, startedCluster } from './support.js'

const calm = { heartbeatIntervalMs: 50, electionTimeoutMs: 600 }

/** A cluster that leads, with a value. */
async function leadCluster(): Promise<Cluster> {
  const cluster = await startedCluster(calm)
  await cluster.put('a', 'b')
  return cluster
}

const votersOf = (cluster: Cluster) => cluster.membership?.membership.voters
const startOf = (cluster: Cluster, node: number) =>
  nextEvent(cluster, ({ type, nodeId }) => type === 'started' && nodeId === node)

async function isWhole(cluster: Cluster, voters: readonly number[]): Promise<void> {
  await cluster.put('a', 'c')
  expect(votersOf(cluster)).toEqual(voters)
  expect((await convergedHashes(cluster)).size).toBe(1)
}

test('[MB8] a node is added although the leader is killed meanwhile', async () => {
  const cluster = await leadCluster()
  const started = startOf(cluster, 4)
  const adding = cluster.addNode()
  await started
  const killed = await cluster.kill('leader')
  expect(await adding).toBe(4)
  await cluster.restart(killed)
  await isWhole(cluster, [1, 2, 3, 4])
})

test('[MB8] a node is added although the leader stands still meanwhile', async () => {
  const cluster = await leadCluster()
  const started = startOf(cluster, 4)
  const adding = cluster.addNode()
  await started
  await cluster.pause('leader', { forMs: 2000 })
  expect(await adding).toBe(4)
  await cluster.heal()
  await isWhole(cluster, [1, 2, 3, 4])
})

test('[MB8] a node that dies while it catches up votes once it is back and has caught up', async () => {
  const cluster = await leadCluster()
  const started = startOf(cluster, 4)
  const adding = cluster.addNode()
  await started
  await cluster.kill(4)
  await cluster.restart(4)
  expect(await adding).toBe(4)
  await isWhole(cluster, [1, 2, 3, 4])
})

test('[MB8] a node that hears nobody is no voter until its links are healed', async () => {
  const cluster = await leadCluster()
  const started = startOf(cluster, 4)
  const adding = cluster.addNode()
  await started
  await cluster.isolate(4)
  expect(votersOf(cluster)).toEqual([1, 2, 3])
  await cluster.heal(4)
  expect(await adding).toBe(4)
  await isWhole(cluster, [1, 2, 3, 4])
})

test('[MB10] a dead node is replaced although the leader is cut off meanwhile', async () => {
  const cluster = await startedCluster({ ...calm, nodes: 5 })
  await cluster.put('a', 'b')
  const dead = await cluster.kill('follower')
  const started = startOf(cluster, 6)
  const replacing = cluster.replaceNode(dead)
  await started
  const led = cluster.leaderId ?? 0
  await cluster.isolate(led)
  expect(await replacing).toBe(6)
  await cluster.heal()
  await isWhole(
    cluster,
    [1, 2, 3, 4, 5, 6].filter((nodeId) => nodeId !== dead),
  )
})

test('[MB9] a paused node is removed, and so is its pause', async () => {
  const cluster = await leadCluster()
  const paused = cluster.leaderId === 1 ? 2 : 1
  await cluster.pause(paused)
  await cluster.removeNode(paused)
  expect(cluster.faults).toEqual([])
  await isWhole(
    cluster,
    [1, 2, 3].filter((nodeId) => nodeId !== paused),
  )
})
