import { describe, expect, test } from 'vitest'
import { SimulatedCluster } from '../../src/sim/index.js'
import { converge, logOf, others, proposeTo, Writers } from './support.js'

describe('what a deposed leader had taken', () => {
  test('is refused also where nothing new ever comes to its place', () => {
    const cluster = new SimulatedCluster()
    const old = cluster.awaitLeader()
    cluster.partition([old.id], others(cluster, old.id))
    const lost = [1, 2, 3, 4].map((number) => proposeTo(cluster, old.id, 'k', `lost ${number}`))
    cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== old.id)
    // Only the entry that opens the new leader's term is committed: terms in a log never decrease.
    cluster.healLinks()
    cluster.until(() => lost.every(({ outcome }) => outcome !== undefined))
    for (const { outcome } of lost) expect(outcome).toMatchObject({ outcome: 'refused', code: 'replaced' })
  })

  test('is applied if the next leader has it', () => {
    const cluster = new SimulatedCluster()
    const old = cluster.awaitLeader()
    // The others get the entry, and their answers do not come back.
    for (const id of others(cluster, old.id)) cluster.cut(old.id, id, { direction: 'from' })
    const before = logOf(old).lastIndex
    const kept = proposeTo(cluster, old.id, 'k', 'kept')
    cluster.until(() => others(cluster, old.id).every((id) => logOf(cluster.node(id)).lastIndex > before))
    for (const id of others(cluster, old.id)) cluster.cut(old.id, id, { direction: 'to' })
    cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== old.id)
    expect(kept.outcome).toBeUndefined()
    cluster.healLinks()
    cluster.until(() => kept.outcome !== undefined)
    expect(kept.outcome).toMatchObject({ outcome: 'applied' })
  })

  test('is unknown when a snapshot takes its place', () => {
    const cluster = new SimulatedCluster({ bounds: { logBytesMax: 2000, trailingBytes: 0 } })
    const old = cluster.awaitLeader()
    cluster.partition([old.id], others(cluster, old.id))
    const lost = proposeTo(cluster, old.id, 'k', 'lost')
    cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== old.id)
    for (let round = 0; round < 40; round++) cluster.put('k', `${round}`)
    cluster.healLinks()
    cluster.until(() => lost.outcome !== undefined)
    expect(lost.outcome).toMatchObject({ outcome: 'unknown' })
    converge(cluster)
  })

  test('is unknown when the node dies', () => {
    const cluster = new SimulatedCluster()
    const old = cluster.awaitLeader()
    const lost = proposeTo(cluster, old.id, 'k', 'lost')
    cluster.run(0.5)
    cluster.losePower(old.id)
    cluster.until(() => lost.outcome !== undefined)
    expect(lost.outcome).toMatchObject({ outcome: 'unknown' })
  })
})

test('who does not lead refuses, and says who does', () => {
  const cluster = new SimulatedCluster()
  const leader = cluster.awaitLeader()
  cluster.run(1000)
  const [follower] = others(cluster, leader.id) as [number]
  expect(cluster.put('k', 'v', follower)).toEqual({
    outcome: 'refused',
    code: 'notLeader',
    leaderId: leader.id,
  })
})

test('all queues stay bounded while a node is paused for 30 seconds at full load', () => {
  const cluster = new SimulatedCluster({ limits: { inflightMessagesMax: 64, inflightBytesMax: 100_000 } })
  const leader = cluster.awaitLeader()
  const [paused] = others(cluster, leader.id) as [number]
  const writers = new Writers(cluster, 3, 100)
  cluster.run(500)
  const pause = cluster.pause(paused)
  for (let second = 0; second < 30; second++) {
    cluster.run(1000)
    // The checker looks at the leader's windows; here is what waits at the node.
    expect(cluster.node(paused).waitingCount).toBeLessThan(2 * 1024 * cluster.nodes.length)
  }
  void pause.heal()
  cluster.run(2000)
  writers.stop()
  converge(cluster)
  expect(cluster.leader?.id).toBe(leader.id)
  expect(writers.acknowledged).toBeGreaterThan(5000)
})
