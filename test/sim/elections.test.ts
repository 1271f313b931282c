import { describe, expect, test } from 'vitest'
import { SimulatedCluster } from '../../src/sim/index.js'
import { converge, elections, logOf, longestTimeoutMs, others, reasons } from './support.js'

/** A new leader may need a second try, when votes were split. */
const tries = 3

describe('a dead leader', () => {
  test.each([3, 5, 7])('of %i nodes is replaced within a few election timeouts', (nodes) => {
    const cluster = new SimulatedCluster({ nodes })
    const first = cluster.awaitLeader()
    cluster.losePower(first.id)
    const sinceMs = cluster.nowMs
    const second = cluster.awaitLeader(tries * longestTimeoutMs(cluster))
    expect(second.id).not.toBe(first.id)
    expect(reasons(cluster, second.id, sinceMs)).toEqual(['electionTimeout', 'preVoteWon', 'electionWon'])
    expect(cluster.put('k', 'v')).toMatchObject({ outcome: 'applied' })
  })

  test('of a cluster of one leads again by itself', () => {
    const cluster = new SimulatedCluster({ nodes: 1 })
    cluster.put('k', 'v')
    cluster.losePower(1)
    cluster.restart(1)
    expect(cluster.get('k', cluster.awaitLeader().id)).toMatchObject({ outcome: 'read' })
  })
})

describe('a partition', () => {
  test('leaves the leader of the majority alone', () => {
    const cluster = new SimulatedCluster({ nodes: 5 })
    const leader = cluster.awaitLeader()
    const [a, b, c, d] = others(cluster, leader.id) as [number, number, number, number]
    cluster.partition([leader.id, a, b], [c, d])
    const sinceMs = cluster.nowMs
    cluster.run(10_000)
    expect(cluster.put('k', 'v', leader.id)).toMatchObject({ outcome: 'applied' })
    cluster.healLinks()
    converge(cluster)
    // Pre-vote: who was cut off raised no term, and disturbs nobody.
    expect(elections(cluster, sinceMs)).toBe(0)
  })
})

describe('a link that is cut in one direction', () => {
  test.each(['to', 'from'] as const)('%s a follower changes no leader', (direction) => {
    const cluster = new SimulatedCluster()
    const leader = cluster.awaitLeader()
    const sinceMs = cluster.nowMs
    cluster.cut(leader.id, others(cluster, leader.id)[0] ?? 0, { direction })
    cluster.run(10_000)
    expect(cluster.leader?.id).toBe(leader.id)
    expect(elections(cluster, sinceMs)).toBe(0)
    expect(cluster.put('k', 'v')).toMatchObject({ outcome: 'applied' })
  })
})

describe('a partial partition', () => {
  test('into two sides with a node in common leaves a leader that has a majority', () => {
    const cluster = new SimulatedCluster({ nodes: 5 })
    const leader = cluster.awaitLeader()
    const [mate, , far, farther] = others(cluster, leader.id) as [number, number, number, number]
    cluster.partition([leader.id, mate], [far, farther])
    const sinceMs = cluster.nowMs
    cluster.run(20_000)
    expect(elections(cluster, sinceMs)).toBe(0)
    expect(cluster.put('k', 'v')).toMatchObject({ outcome: 'applied' })
  })

  test('where only the node in common hears the leader does not keep it: its word renews no lease for ever', () => {
    const cluster = new SimulatedCluster({ nodes: 5 })
    const first = cluster.awaitLeader()
    const [bridge, far, farther, farthest] = others(cluster, first.id) as [number, number, number, number]
    // One of the far side is gone: without the bridge nobody can win.
    cluster.losePower(farthest)
    cluster.partition([first.id], [far, farther])
    cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== first.id, 30_000)
    expect([bridge, far, farther]).toContain(cluster.leader?.id)
    expect(cluster.put('k', 'v')).toMatchObject({ outcome: 'applied' })
  })
})

test('a stalled disk of a follower is nobody else’s concern, and it never campaigns', () => {
  const cluster = new SimulatedCluster()
  const leader = cluster.awaitLeader()
  const [stalled] = others(cluster, leader.id) as [number]
  const sinceMs = cluster.nowMs
  const stall = cluster.stallDisk(stalled)
  for (let round = 0; round < 50; round++) {
    expect(cluster.put('k', `${round}`)).toMatchObject({ outcome: 'applied' })
    cluster.run(100)
  }
  expect(elections(cluster, sinceMs)).toBe(0)
  expect(reasons(cluster, stalled, sinceMs)).toEqual([])
  void stall.heal()
  cluster.until(() => logOf(cluster.node(stalled)).flushedIndex === logOf(leader).flushedIndex)
})
