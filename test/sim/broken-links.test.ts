/** Broken links cost no more than one change of leader and no standstill, over many seeds. */
import { describe, expect, test } from 'vitest'
import type { Way } from '../../src/faults/index.js'
import { encode, writePut } from '../../src/machine/index.js'
import type { NodeId } from '../../src/raft/index.js'
import { SimulatedCluster } from '../../src/sim/index.js'
import { elections, longestTimeoutMs, others, reasons } from './support.js'

const seeds = Array.from({ length: 12 }, (_, at) => at + 1)

/** Writers at every node, so that the one that leads is asked all the time. */
class Askers {
  /** The longest time without an acknowledgement. */
  longestGapMs = 0
  #lastMs: number

  constructor(cluster: SimulatedCluster) {
    this.#lastMs = cluster.nowMs
    let written = 0
    const ask = (nodeId: NodeId): void => {
      const told = ({ outcome }: { readonly outcome: string }): void => {
        if (outcome === 'applied') {
          this.longestGapMs = Math.max(this.longestGapMs, cluster.nowMs - this.#lastMs)
          this.#lastMs = cluster.nowMs
        }
        cluster.later(10, () => ask(nodeId))
      }
      cluster.send(nodeId, 'propose', [encode(writePut, 'k', `${nodeId} ${++written}`)], told, 500)
    }
    for (const nodeId of cluster.nodeIds) ask(nodeId)
  }

  /** The longest time without an acknowledgement, up to now. */
  gapMs(cluster: SimulatedCluster): number {
    return Math.max(this.longestGapMs, cluster.nowMs - this.#lastMs)
  }
}

interface Outage {
  readonly elections: number
  readonly gapMs: number
  readonly cluster: SimulatedCluster
  readonly oldId: NodeId
}

/** Cuts ways of a cluster that is led and asked, and lets it run for 20 election timeouts. */
function withCut(
  seed: number,
  nodes: number,
  waysOf: (leader: NodeId, followers: readonly NodeId[]) => readonly Way[],
): Outage {
  const cluster = new SimulatedCluster({ seed, nodes })
  const oldId = cluster.awaitLeader().id
  const askers = new Askers(cluster)
  cluster.run(200)
  const sinceMs = cluster.nowMs
  const ways = waysOf(oldId, others(cluster, oldId))
  cluster.faults.begin({ type: 'cut', ways })
  cluster.run(20 * cluster.electionTimeoutMs)
  // Followers have nothing to say to each other as long as they hear a leader.
  const isOfLeader = ways.some(({ from, to }) => from === oldId || to === oldId)
  if (isOfLeader) expect(cluster.world.counts.cutOff, `seed ${seed}`).toBeGreaterThan(0)
  return { elections: elections(cluster, sinceMs), gapMs: askers.gapMs(cluster), cluster, oldId }
}

const toAll = (from: NodeId, to: readonly NodeId[]): Way[] => to.map((each) => ({ from, to: each }))
const fromAll = (from: readonly NodeId[], to: NodeId): Way[] => from.map((each) => ({ from: each, to }))
const between = (left: readonly NodeId[], right: readonly NodeId[]): Way[] =>
  left.flatMap((one) => [...toAll(one, right), ...fromAll(right, one)])

/** A leader is missed, a pre-vote and a vote may be split once, and the first command waits for its answers. */
const patienceMs = (cluster: SimulatedCluster): number => 3 * longestTimeoutMs(cluster)

describe('one cut link among three', () => {
  test.each<[string, (leader: NodeId, followers: readonly NodeId[]) => readonly Way[], number]>([
    ['between the leader and a follower', (leader, [one = 0]) => between([leader], [one]), 1],
    ['from the leader to a follower', (leader, [one = 0]) => toAll(leader, [one]), 1],
    ['from a follower to the leader', (leader, [one = 0]) => toAll(one, [leader]), 1],
    ['between the followers', (_, [one = 0, other = 0]) => between([one], [other]), 0],
  ])('%s: at most one change of leader and no standstill', (_, waysOf, changesMax) => {
    for (const seed of seeds) {
      const outage = withCut(seed, 3, waysOf)
      expect(outage.elections, `seed ${seed}`).toBeLessThanOrEqual(changesMax)
      const mostMs = changesMax === 0 ? 100 : patienceMs(outage.cluster)
      expect(outage.gapMs, `seed ${seed}`).toBeLessThan(mostMs)
    }
  })
})

describe('a leader', () => {
  test('that can send but not hear steps down, and another goes on', () => {
    for (const seed of seeds) {
      const { cluster, oldId, ...outage } = withCut(seed, 3, (leader, followers) =>
        fromAll(followers, leader),
      )
      expect(reasons(cluster, oldId)).toContain('quorumLost')
      expect(cluster.leader?.id, `seed ${seed}`).not.toBe(oldId)
      expect(outage.elections, `seed ${seed}`).toBe(1)
      // The others hear the old leader as long as it leads.
      expect(outage.gapMs).toBeLessThan(patienceMs(cluster) + longestTimeoutMs(cluster))
    }
  })

  test('that can hear but not send loses its lead', () => {
    for (const seed of seeds) {
      const { cluster, oldId, ...outage } = withCut(seed, 3, toAll)
      expect(cluster.leader?.id, `seed ${seed}`).not.toBe(oldId)
      expect(cluster.node(oldId).state?.role).not.toBe('leader')
      expect(outage.elections, `seed ${seed}`).toBe(1)
      expect(outage.gapMs).toBeLessThan(patienceMs(cluster))
    }
  })
})

describe('a bridge among five', () => {
  test.each<[string, (leader: NodeId, followers: readonly NodeId[]) => readonly Way[]]>([
    ['that leads', (_, [a = 0, b = 0, c = 0, d = 0]) => between([a, b], [c, d])],
    ['that a side leads', (leader, [a = 0, , c = 0, d = 0]) => between([leader, a], [c, d])],
  ])('%s: at most one change of leader and no standstill', (_, waysOf) => {
    for (const seed of seeds) {
      const outage = withCut(seed, 5, waysOf)
      expect(outage.elections, `seed ${seed}`).toBeLessThanOrEqual(1)
      expect(outage.gapMs, `seed ${seed}`).toBeLessThan(patienceMs(outage.cluster))
    }
  })
})
