/** Members that come and go under load: no acknowledged write is lost, and all members are equal at the end. */
import { describe, expect, test } from 'vitest'
import type { Result } from '../../src/errors/index.js'
import { addNode, carryOut, removeNodes } from '../../src/membership/index.js'
import { membersOf, type NodeId } from '../../src/raft/index.js'
import { SimulatedCluster } from '../../src/sim/index.js'
import { elections, longestTimeoutMs, Writers } from './support.js'

function voters(cluster: SimulatedCluster): readonly NodeId[] {
  return cluster.members.configuration?.membership.voters ?? []
}

/** Lets time pass until every member holds and has applied all that is committed, and nothing else. */
function convergeMembers(cluster: SimulatedCluster): void {
  const { ledger } = cluster.world.checker
  const members = () => membersOf(ledger.last.membership).map((id) => cluster.node(id))
  cluster.until(() => members().every(({ state }) => state?.log.lastApplied === ledger.last.index))
  expect(new Set(members().map((node) => node.hash())).size).toBe(1)
}

/** Runs `work` under load, and tells the longest time in which no write was acknowledged meanwhile. */
function longestPauseMs(cluster: SimulatedCluster, work: () => void): number {
  const writers = new Writers(cluster, 4)
  let [seen, sinceMs, longestMs] = [0, cluster.nowMs, 0]
  const look = (): void => {
    if (writers.acknowledged > seen) [seen, sinceMs] = [writers.acknowledged, cluster.nowMs]
    longestMs = Math.max(longestMs, cluster.nowMs - sinceMs)
    cluster.later(1, look)
  }
  look()
  work()
  writers.stop()
  expect(seen).toBeGreaterThan(0)
  return longestMs
}

describe('under load', () => {
  test('a cluster grows from 3 to 5 to 7 and shrinks to 3 without an election', () => {
    const cluster = new SimulatedCluster({ seed: 3 })
    const leader = cluster.awaitLeader()
    const sinceMs = cluster.nowMs
    const pauseMs = longestPauseMs(cluster, () => {
      for (const expected of [4, 5, 6, 7]) expect(cluster.changer.addNode()).toBe(expected)
      expect(voters(cluster)).toEqual([1, 2, 3, 4, 5, 6, 7])
      const followers = cluster.nodeIds.filter((id) => id !== leader.id)
      cluster.changer.removeNode(...followers.slice(0, 2))
      cluster.changer.removeNode(...followers.slice(2, 4))
    })
    expect(voters(cluster)).toHaveLength(3)
    expect(elections(cluster, sinceMs)).toBe(0)
    expect(pauseMs).toBeLessThan(cluster.electionTimeoutMs)
    convergeMembers(cluster)
  })

  test('every node is replaced once, and each write waits for less than two election timeouts', () => {
    const cluster = new SimulatedCluster({ seed: 5 })
    cluster.awaitLeader()
    const pauseMs = longestPauseMs(cluster, () => {
      for (const id of [1, 2, 3]) cluster.changer.replaceNode(id)
    })
    expect(voters(cluster)).toEqual([4, 5, 6])
    expect(cluster.nodeIds).toEqual([4, 5, 6])
    expect(pauseMs).toBeLessThan(2 * cluster.electionTimeoutMs)
    convergeMembers(cluster)
  })

  test('the leader is removed five times in a row, and each write waits for less than two election timeouts', () => {
    const cluster = new SimulatedCluster({ seed: 7, nodes: 7 })
    const pauseMs = longestPauseMs(cluster, () => {
      for (let left = 5; left > 0; left--) cluster.changer.removeNode(cluster.awaitLeader().id)
    })
    expect(voters(cluster)).toHaveLength(2)
    expect(cluster.world.counts.leadersRemoved).toBe(5)
    expect(pauseMs).toBeLessThan(2 * cluster.electionTimeoutMs)
    convergeMembers(cluster)
  })

  test('a dead node is replaced, and its place is never counted again', () => {
    const cluster = new SimulatedCluster({ seed: 9 })
    const leader = cluster.awaitLeader()
    const dead = cluster.nodeIds.find((id) => id !== leader.id) ?? 0
    cluster.losePower(dead)
    longestPauseMs(cluster, () => expect(cluster.changer.replaceNode(dead)).toBe(4))
    expect(voters(cluster)).not.toContain(dead)
    expect(cluster.world.counts.deadRemoved).toBe(1)
    convergeMembers(cluster)
  })
})

test('a removed node that comes back with its old disk neither leads nor disturbs', () => {
  const cluster = new SimulatedCluster({ seed: 11 })
  const leader = cluster.awaitLeader()
  const removed = cluster.nodeIds.find((id) => id !== leader.id) ?? 0
  cluster.losePower(removed)
  cluster.changer.removeNode(removed)
  const sinceMs = cluster.nowMs
  cluster.members.comeBack(removed)
  cluster.run(10 * longestTimeoutMs(cluster))
  expect(cluster.node(removed).state?.role).not.toBe('leader')
  expect(elections(cluster, sinceMs)).toBe(0)
  expect(cluster.leader?.state?.currentTerm).toBe(leader.state?.currentTerm)
})

test('[MC9] a node that is removed while it is being added is no member afterwards', () => {
  const cluster = new SimulatedCluster({ seed: 3 })
  const leader = cluster.awaitLeader()
  const to = cluster.nodeIds.find((id) => id !== leader.id) ?? 0
  // The node cannot join while the leader hands over, and the leader waits for an election timeout.
  cluster.losePower(to)
  cluster.members.handOver(leader.id, to, 10_000, () => undefined)
  cluster.until(() => leader.state?.leadership?.transfer !== undefined)
  const ends: Result<unknown>[] = []
  const within = { withinMs: 3000, keep: false }
  carryOut(addNode(cluster.members, { ...within, learner: true }), (end) => void ends.push(end))
  expect(cluster.nodeIds).toEqual([1, 2, 3, 4])
  carryOut(removeNodes(cluster.members, [4], within), (end) => void ends.push(end))
  cluster.run(cluster.members.heartbeatIntervalMs)
  expect(ends).toEqual([])
  cluster.until(() => ends.length === 2)
  expect(ends).toEqual([
    { ok: true, value: 4 },
    { ok: true, value: undefined },
  ])
  expect(cluster.nodeIds).toEqual([1, 2, 3])
  expect(membersOf(cluster.world.checker.ledger.last.membership)).toEqual([1, 2, 3])
})

test('a learner holds the log and counts for nothing, until it is promoted', () => {
  const cluster = new SimulatedCluster({ seed: 13, nodes: 1 })
  cluster.awaitLeader()
  const learner = cluster.changer.addNode({ learner: true })
  cluster.losePower(learner)
  expect(cluster.put('k', 'v')).toMatchObject({ outcome: 'applied' })
  cluster.restart(learner)
  convergeMembers(cluster)
  cluster.changer.promote(learner)
  cluster.losePower(learner)
  expect(cluster.put('k', 'w', 1)).toMatchObject({ outcome: 'unknown' })
})

test('a node that holds alone the configuration without it leads once more, where nobody else could win', () => {
  const cluster = new SimulatedCluster({ seed: 15, nodes: 2 })
  const leader = cluster.awaitLeader()
  const other = cluster.nodeIds.find((id) => id !== leader.id) ?? 0
  // The configuration reaches no other disk before the power is lost.
  const letPass = cluster.drop(({ from }) => from === leader.id)
  cluster.members.change(leader.id, [{ type: 'remove', nodeId: leader.id }], 1000, () => undefined)
  cluster.until(() => {
    const { membership, membershipIndex = 0, log } = leader.state ?? {}
    return membership?.voters.length === 1 && (log?.flushedIndex ?? 0) >= membershipIndex
  })
  for (const id of [leader.id, other]) cluster.losePower(id)
  letPass()
  for (const id of [leader.id, other]) cluster.restart(id)
  cluster.until(() => cluster.leaderId === other && voters(cluster).length === 1)
  expect(cluster.put('k', 'v')).toMatchObject({ outcome: 'applied' })
})

describe('a transfer', () => {
  test('to a chosen follower is done without an election timeout, and writes go on', () => {
    const cluster = new SimulatedCluster({ seed: 17 })
    const leader = cluster.awaitLeader()
    const to = cluster.nodeIds.find((id) => id !== leader.id) ?? 0
    const pauseMs = longestPauseMs(cluster, () => expect(cluster.changer.transfer(to)).toBe(to))
    expect(pauseMs).toBeLessThan(cluster.electionTimeoutMs)
    expect(cluster.world.counts.transfersDone).toBe(1)
  })

  test('to a node that is down is given up after an election timeout, and writes go on', () => {
    const cluster = new SimulatedCluster({ seed: 19 })
    const leader = cluster.awaitLeader()
    const to = cluster.nodeIds.find((id) => id !== leader.id) ?? 0
    cluster.losePower(to)
    let isGivenUp = false
    cluster.members.handOver(leader.id, to, 10_000, (outcome) => {
      isGivenUp = outcome?.outcome === 'refused' && outcome.code === 'timedOut'
    })
    const waitedMs = cluster.until(() => isGivenUp)
    expect(waitedMs).toBeLessThan(1.2 * cluster.electionTimeoutMs)
    expect(cluster.put('k', 'v')).toMatchObject({ outcome: 'applied' })
    expect(cluster.leaderId).toBe(leader.id)
  })
})
