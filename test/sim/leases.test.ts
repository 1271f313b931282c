/** Reads under leases while clocks are set: as far as the bounds go no read is stale, and far beyond them one is. */
import { describe, expect, test } from 'vitest'
import { driftMax, offsetMsMax, type Skew } from '../../src/faults/index.js'
import { encode, writeGet } from '../../src/machine/index.js'
import type { NodeId } from '../../src/raft/index.js'
import { type Outcome, SimulatedCluster, simulate } from '../../src/sim/index.js'
import { others, proposeTo, valueIn } from './support.js'

const limits = { electionTimeoutTicks: 9, heartbeatTicks: 2 }
const nodeIds = [1, 2, 3]
const seeds = Array.from({ length: 10 }, (_, at) => at + 1)
const runs = seeds.flatMap((seed) => nodeIds.map((leaderId) => ({ seed, leaderId })))
type Run = (typeof runs)[number]

/**
 * The worst case: the leader's clock is slow and then stands still, and the clocks of the others are fast. A follower
 * wants to lead as soon as the other, which just heard the leader, may vote for it.
 */
function usurped(
  { seed, leaderId }: Run,
  drift: number,
  offsetMs: number,
  isChecked = true,
): SimulatedCluster {
  const cluster = new SimulatedCluster({ seed, limits, clockDrift: 0 })
  if (!isChecked) Object.assign(cluster, { check: () => undefined })
  const undo = cluster.drop(({ type, from }) => type === 'preVote' && from !== leaderId)
  expect(cluster.awaitLeader().id).toBe(leaderId)
  undo()
  cluster.put('k', 'old')
  const [promised, contender] = others(cluster, leaderId) as [number, number]
  const skew = (id: NodeId, by: Partial<Skew>) =>
    cluster.faults.begin({ type: 'skew', nodes: [id], offsetMs: 0, drift: 0, ...by })
  if (drift !== 0) skew(leaderId, { drift: -drift })
  const ahead = skew(leaderId, { offsetMs })
  if (drift !== 0) for (const id of [promised, contender]) skew(id, { drift })
  cluster.run(500)
  cluster.cut(leaderId, contender)
  cluster.until(() => cluster.node(contender).state?.role === 'preCandidate')
  cluster.run(10 * (seed % 10))
  cluster.cut(leaderId, promised)
  // The clock of the leader is set back by all that it was ahead.
  void ahead.heal()
  return cluster
}

/** Whether a read of the old leader shows what a write that was acknowledged before has replaced. */
function isReadStale(cluster: SimulatedCluster, oldId: NodeId): boolean {
  // The checkers find the lease that is held beside another leader first: this run goes on to the read.
  const until = (condition: () => boolean): boolean => {
    for (let step = 0; step < 100_000 && !condition(); step++)
      cluster.world.time.step(cluster.nowMs * 1000 + 1000)
    return condition()
  }
  const { electionTimeoutMs } = cluster
  const endMs = cluster.nowMs + 20 * electionTimeoutMs
  const isOver = (): boolean => cluster.nowMs > endMs
  until(() => isOver() || (cluster.leader !== undefined && cluster.leader.id !== oldId))
  const put = proposeTo(cluster, cluster.leader?.id ?? 0, 'k', 'new')
  until(() => isOver() || put.outcome !== undefined)
  if (put.outcome?.outcome !== 'applied') return false
  let read: Outcome | undefined
  cluster.send(oldId, 'read', [encode(writeGet, 'k')], (outcome) => {
    read = outcome
  })
  until(() => isOver() || read !== undefined)
  return valueIn(read) === 'old'
}

describe('a leader with a slow clock, against voters with fast ones', () => {
  const shares = [0, 0.5, 1]

  test.each(shares)('serves no stale read at the bound (drift at %d of its most)', (share) => {
    for (const run of runs) {
      const { clockBounds } = new SimulatedCluster({ limits, clockDrift: 0 })
      if (clockBounds === undefined) throw new Error('reads rest on leases')
      const drift = share * driftMax(clockBounds)
      const cluster = usurped(run, drift, offsetMsMax(clockBounds, drift).aheadMs)
      cluster.run(20 * cluster.electionTimeoutMs)
      expect(cluster.leader?.id).not.toBe(run.leaderId)
      expect(cluster.violation).toBeUndefined()
    }
  })

  // Tests of the test.
  test('holds its lease beside another leader far beyond the bound, which is found', () => {
    const found = runs.map((run) => {
      const cluster = usurped(run, 0.6, 0, false)
      cluster.advance(20 * cluster.electionTimeoutMs)
      return cluster.violation?.rule
    })
    expect(found).toContain('nobody else leads while a lease is held')
  })

  test.each([
    ['a drift', 0.6, 0],
    ['an offset that is taken back', 0, 70],
  ])('serves a stale read far beyond the bound: by %s', (_, drift, offsetMs) => {
    const stale = runs.filter((run) => isReadStale(usurped(run, drift, offsetMs, false), run.leaderId))
    expect(stale.length).toBeGreaterThan(0)
  })
})

test('storms of skewed clocks let no read be stale', () => {
  let readings = 0
  let reads = 0
  for (let seed = 1; seed <= 25; seed++) {
    const { counts, violation } = simulate({
      seed,
      faults: ['clocks', 'clocks', 'cuts'],
      faultGapMs: 60,
      nodes: 3,
      reads: 'lease',
      stormMs: 2000,
    })
    expect(violation, `seed ${seed}`).toBeUndefined()
    readings += counts.skewedReadings
    reads += counts.readUnderLease
  }
  expect(readings).toBeGreaterThan(1000)
  expect(reads).toBeGreaterThan(800)
})
