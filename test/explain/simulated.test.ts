/** The cause of an election, in simulated clusters that were really broken. */
import { describe, expect, test } from 'vitest'
import {
  type Election,
  explain,
  explainElection,
  explainIndex,
  explainStall,
} from '../../src/explain/index.js'
import type { Fault, Way } from '../../src/faults/index.js'
import { encode, writePut } from '../../src/machine/index.js'
import type { NodeId } from '../../src/raft/index.js'
import { SimulatedCluster } from '../../src/sim/index.js'

const nodes = 5
const seeds = Array.from({ length: 3 }, (_, at) => at + 1)

/** A cluster with a leader and a load of one command in 10 ms, of which each is another. */
class Loaded {
  readonly cluster: SimulatedCluster
  #commands = 0

  constructor(seed: number) {
    this.cluster = new SimulatedCluster({ seed, nodes, reads: 'readIndex' })
    this.cluster.awaitLeader()
    this.until(() => this.#commands >= 30)
  }

  until(condition: () => boolean): void {
    const endMs = this.cluster.nowMs + 10_000
    while (!condition()) {
      if (this.cluster.nowMs > endMs) throw new Error('it did not come about')
      const { leaderId } = this.cluster
      const command = encode(writePut, 'key', `value ${++this.#commands}`)
      if (leaderId !== undefined) this.cluster.send(leaderId, 'propose', [command], () => undefined)
      this.cluster.run(10)
    }
  }
}

const ways = (from: readonly NodeId[], to: readonly NodeId[]): Way[] =>
  from.flatMap((one) => to.map((other) => ({ from: one, to: other })))

/** A clock that runs slow is not among them: followers ask their leader how far the log is committed, and hear it so. */
const breaks: Record<string, (leader: NodeId, others: readonly NodeId[]) => Fault> = {
  kill: (leader) => ({ type: 'kill', nodes: [leader] }),
  'power-loss': (leader) => ({ type: 'losePower', nodes: [leader] }),
  pause: (leader) => ({ type: 'pause', nodes: [leader] }),
  isolate: (leader) => ({ type: 'isolate', nodes: [leader] }),
  'partition of the leader': (leader, others) => ({ type: 'partition', groups: [[leader], others] }),
  'partition of a minority': (leader, [first = 0, ...others]) => ({
    type: 'partition',
    groups: [[leader, first], others],
  }),
  'cut of what the leader says': (leader, others) => ({ type: 'cut', ways: ways([leader], others) }),
  'cut of what the leader hears': (leader, others) => ({ type: 'cut', ways: ways(others, [leader]) }),
  drop: (leader, others) => ({ type: 'drop', share: 0.97, ways: ways([leader], others) }),
  delay: (leader, others) => ({ type: 'delay', delayMs: 3000, jitterMs: 0, ways: ways([leader], others) }),
  throttle: (leader, others) => ({ type: 'throttle', bytesPerSecond: 1, ways: ways([leader], others) }),
  'stall-disk': (leader) => ({ type: 'stallDisk', nodes: [leader] }),
  'slow-disk': (leader) => ({ type: 'slowDisk', flushMs: 5000, nodes: [leader] }),
  'fail-disk': (leader) => ({ type: 'failDisk', nodes: [leader] }),
  'full-disk': (leader) => ({ type: 'fullDisk', bytesLeft: 0, nodes: [leader] }),
}

/** Faults that stand elsewhere, or that harm too little to end a leadership. */
function decoys([one = 0, other = 0, third = 0]: readonly NodeId[], leader: NodeId): Fault[] {
  return [
    { type: 'cut', ways: ways([one], [other]) },
    { type: 'slowDisk', flushMs: 8, nodes: [third] },
    { type: 'duplicate', share: 0.3, ways: ways([leader], [one, other]) },
    { type: 'delay', delayMs: 3, jitterMs: 2, ways: ways([leader], [other, third]) },
    { type: 'drop', share: 0.05, ways: ways([leader], [third]) },
    { type: 'throttle', bytesPerSecond: 1e9, ways: ways([leader], [one, other, third]) },
  ]
}

interface Overthrown {
  readonly cluster: SimulatedCluster
  readonly leader: NodeId
  readonly faultId: number
  readonly election: Election
}

function overthrown(seed: number, fault: (leader: NodeId, others: readonly NodeId[]) => Fault): Overthrown {
  const loaded = new Loaded(seed)
  const { cluster } = loaded
  const leader = cluster.awaitLeader().id
  const others = cluster.nodeIds.filter((id) => id !== leader)
  for (const each of decoys(others, leader)) cluster.faults.begin(each)
  const { id: faultId } = cluster.faults.begin(fault(leader, others)).standing
  loaded.until(() => cluster.leaderId !== undefined && cluster.leaderId !== leader)
  const election = explainElection(cluster.story())
  if (election.type !== 'election') throw new Error(election.why)
  return { cluster, leader, faultId, election }
}

describe('the cause of an election in a simulated cluster', () => {
  test.each(Object.entries(breaks))('is the %s that began', (_, fault) => {
    for (const seed of seeds) {
      const { election, faultId, leader } = overthrown(seed, fault)
      expect(election.before?.leaderId, `seed ${seed}`).toBe(leader)
      expect(election.cause, `seed ${seed}`).toMatchObject({ faultId })
    }
  })

  test('is not a fault that harms too little, where the leader was killed without one', () => {
    const loaded = new Loaded(2)
    const { cluster } = loaded
    const nodeId = cluster.awaitLeader().id
    const others = cluster.nodeIds.filter((id) => id !== nodeId)
    for (const each of decoys(others, nodeId)) cluster.faults.begin(each)
    cluster.stop(nodeId, 'kill')
    loaded.until(() => cluster.leaderId !== undefined && cluster.leaderId !== nodeId)
    expect(explainElection(cluster.story())).toMatchObject({
      cause: { type: 'killed', nodeId, faultId: undefined },
      also: [],
    })
  })
})

describe('a simulated cluster', () => {
  test('that lost its majority tells so as its longest stall', () => {
    const loaded = new Loaded(1)
    const { cluster } = loaded
    const leader = cluster.awaitLeader().id
    const [one = 0, other = 0, third = 0, fourth = 0] = cluster.nodeIds.filter((id) => id !== leader)
    const stalled = [one, other, third].map(
      (id) => cluster.faults.begin({ type: 'stallDisk', nodes: [id] }).standing.id,
    )
    cluster.faults.begin({ type: 'cut', ways: ways([fourth], [one]) })
    const untilMs = cluster.nowMs + 1500
    loaded.until(() => cluster.nowMs > untilMs)
    const stall = explainStall(cluster.story())
    if (stall.type !== 'stall') throw new Error(stall.why)
    expect(stall).toMatchObject({ reason: 'disk', leaderId: leader, isOver: false })
    expect(stall.causes.map(({ faultId }) => faultId).sort()).toEqual(stalled)
  })

  test('tells the way of each command that it committed', () => {
    const { cluster } = new Loaded(3)
    const leader = cluster.awaitLeader().id
    cluster.run(100)
    const story = cluster.story()
    const { lastApplied } = cluster.node(leader).state?.log ?? { lastApplied: 0 }
    expect(lastApplied).toBeGreaterThan(20)
    for (let index = 1; index <= lastApplied; index++) {
      const way = explainIndex(story, index)
      if (way.type !== 'command') throw new Error(way.why)
      expect(way).toMatchObject({ leaderId: leader, isCommitted: true, lostAt: [], isOpening: index === 1 })
      const stages = way.parts.map(({ to }) => to.stage)
      const own = ['flushed', 'committed', 'applied']
      const overFollower = ['sent', 'received', 'flushed', 'acknowledged', 'committed', 'applied']
      const answered = index === 1 ? [] : ['answered']
      expect(stages, `index ${index}`).toEqual([
        ...(way.decidedBy === leader ? own : overFollower),
        ...answered,
      ])
      expect(way.parts.every(({ tookMs }) => tookMs >= 0)).toBe(true)
      for (const nodeId of cluster.nodeIds) {
        const applied = way.steps.filter((step) => step.nodeId === nodeId && step.stage === 'applied')
        expect(applied.length, `index ${index} on node ${nodeId}`).toBe(1)
      }
    }
  })

  test('that was left alone has nothing but its first election to tell', () => {
    const { cluster } = new Loaded(4)
    const { words } = explain(cluster.story(), { about: 'last' })
    expect(words.split('\n')[0]).toBe('The cluster had just started, and a cluster starts without a leader.')
  })
})
