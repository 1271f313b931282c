import { expect, test } from 'vitest'
import type { NodeId } from '../../src/raft/index.js'
import { SimulatedCluster, simulate } from '../../src/sim/index.js'
import {
  giveDiskBack,
  mayLoseDisks,
  renew,
  rollBackDisk,
  swapDisks,
  swapDisksBack,
  wipeDisk,
} from '../../src/sim/lost-disks.js'
import { converge, others } from './support.js'

const seeds = Array.from({ length: 10 }, (_, at) => at + 1)

/** A cluster whose followers hold what was written, and its leader. */
function written(seed: number): [SimulatedCluster, NodeId] {
  const cluster = new SimulatedCluster({ seed })
  expect(cluster.put('a', 'one').outcome).toBe('applied')
  converge(cluster)
  return [cluster, cluster.awaitLeader().id]
}

const refusals = (cluster: SimulatedCluster): number => cluster.world.counts.lostDisksRefused

test.each(seeds)(
  '[EL21] a wiped node is refused, begins anew, and comes to the same state (seed %i)',
  (seed) => {
    const [cluster, leader] = written(seed)
    for (const id of [leader, others(cluster, leader)[0] ?? 0]) {
      wipeDisk(cluster, id)
      cluster.restart(id)
      expect(cluster.node(id).isUp).toBe(false)
      renew(cluster, id)
      expect(cluster.put('b', `${id}`).outcome).toBe('applied')
      converge(cluster)
    }
    expect(refusals(cluster)).toBe(2)
    expect(new Set(cluster.nodes.map((node) => node.hash())).size).toBe(1)
  },
)

test.each(seeds)(
  '[EL21] a node behind and a wiped one elect nobody without the node that has all (seed %i)',
  (seed) => {
    const [cluster, leader] = written(seed)
    const [behind = 0, wiped = 0] = others(cluster, leader)
    cluster.losePower(behind)
    expect(cluster.put('a', 'two').outcome).toBe('applied')
    wipeDisk(cluster, wiped)
    cluster.losePower(leader)
    cluster.restart(behind)
    renew(cluster, wiped)
    cluster.run(20_000)
    expect(cluster.leader).toBeUndefined()
    cluster.restart(leader)
    expect(cluster.awaitLeader().id).toBe(leader)
    converge(cluster)
  },
)

test('a swapped disk is refused, and taken again by its own node', () => {
  const [cluster, leader] = written(1)
  const [one = 0, other = 0] = others(cluster, leader)
  swapDisks(cluster, one, other)
  for (const id of [one, other]) cluster.restart(id)
  expect(refusals(cluster)).toBe(2)
  swapDisksBack(cluster, one, other)
  for (const id of [one, other]) cluster.restart(id)
  converge(cluster)
})

test('an older copy is refused once its node promised more, and taken as long as it holds as much', () => {
  const [cluster, leader] = written(1)
  const [follower = 0] = others(cluster, leader)
  const copy = cluster.node(follower).disk.disk.copy()
  rollBackDisk(cluster, follower, copy.copy())
  cluster.restart(follower)
  expect(cluster.node(follower).isUp).toBe(true)

  expect(cluster.put('a', 'two').outcome).toBe('applied')
  converge(cluster)
  const newest = rollBackDisk(cluster, follower, copy)
  cluster.restart(follower)
  expect(cluster.node(follower).isUp).toBe(false)
  giveDiskBack(cluster, follower, newest)
  cluster.restart(follower)
  converge(cluster)
})

test('as many disks may be lost as leave a majority with a vote', () => {
  const [cluster, leader] = written(1)
  const [one = 0, other = 0] = others(cluster, leader)
  expect(mayLoseDisks(cluster, one)).toBe(true)
  expect(mayLoseDisks(cluster, one, other)).toBe(false)
  wipeDisk(cluster, one)
  expect([mayLoseDisks(cluster, one), mayLoseDisks(cluster, other)]).toEqual([false, false])
  renew(cluster, one)
  expect(mayLoseDisks(cluster, other)).toBe(false)
  cluster.put('a', 'two')
  converge(cluster)
  cluster.run(100)
  expect(mayLoseDisks(cluster, other)).toBe(true)
})

test('storms in which disks are lost break no promise', () => {
  const counts = { wipedDisks: 0, swappedDisks: 0, rolledBackDisks: 0, lostDisksRefused: 0, renewedDisks: 0 }
  for (let seed = 1; seed <= 40; seed++) {
    const result = simulate({
      seed,
      faults: ['disks', 'crashes', 'messages'],
      losesDisks: true,
      stormMs: 2000,
    })
    expect(result.violation, `seed ${seed}`).toBeUndefined()
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += result.counts[name]
  }
  for (const [name, count] of Object.entries(counts)) expect(count, name).toBeGreaterThan(0)
}, 120_000)
