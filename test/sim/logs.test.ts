import { describe, expect, test } from 'vitest'
import { entriesIn } from '../../src/raft/index.js'
import { SimulatedCluster } from '../../src/sim/index.js'
import { converge, logOf, longestTimeoutMs, others, proposeTo, Writers } from './support.js'

const smallLogs = { bounds: { logBytesMax: 4000, trailingBytes: 1000 } }

describe('a follower that was away', () => {
  test('catches up by entries while the log still has them', () => {
    const cluster = new SimulatedCluster()
    const leader = cluster.awaitLeader()
    const [away] = others(cluster, leader.id) as [number]
    cluster.losePower(away)
    for (let round = 0; round < 50; round++) cluster.put('k', `${round}`)
    cluster.restart(away)
    converge(cluster)
    expect(logOf(cluster.node(away)).lastApplied).toBe(logOf(leader).lastApplied)
    expect(cluster.world.counts.snapshotsInstalled).toBe(0)
  })

  test('catches up by a snapshot under load, while every third chunk is lost', () => {
    const cluster = new SimulatedCluster({ ...smallLogs, nodes: 5, limits: { snapshotChunkBytes: 50 } })
    const leader = cluster.awaitLeader()
    const [away] = others(cluster, leader.id) as [number]
    cluster.losePower(away)
    const writers = new Writers(cluster, 8)
    cluster.run(1000)
    let chunks = 0
    cluster.drop(({ type }) => type === 'installSnapshot' && ++chunks % 3 === 0)
    cluster.restart(away)
    const before = logOf(leader).lastIndex
    cluster.until(() => logOf(cluster.node(away)).lastApplied >= before, 20_000)
    writers.stop()
    converge(cluster)
    expect(chunks).toBeGreaterThan(10)
    expect(cluster.world.counts.snapshotsInstalled).toBeGreaterThan(0)
    // The transfer disturbed nobody.
    expect(cluster.leader?.id).toBe(leader.id)
  })

  test('may lose its power at any step of the installation', () => {
    for (let step = 1; step <= 12; step++) {
      const cluster = new SimulatedCluster({ ...smallLogs, seed: step, limits: { snapshotChunkBytes: 60 } })
      const leader = cluster.awaitLeader()
      const [away] = others(cluster, leader.id) as [number]
      cluster.losePower(away)
      for (let round = 0; round < 40; round++) cluster.put(`key-${round % 7}`, `${round}`)
      let chunks = 0
      cluster.drop(({ type }) => {
        if (type === 'installSnapshot' && ++chunks === step) {
          // In mid-flight: what the chunk before was written to may not be flushed.
          cluster.world.time.after(100 * step, () => {
            cluster.losePower(away)
            cluster.restart(away)
          })
        }
        return false
      })
      cluster.restart(away)
      converge(cluster, 20_000)
      expect(logOf(cluster.node(away)).lastApplied).toBe(logOf(leader).lastApplied)
    }
  })
})

describe('logs that went apart', () => {
  test('are the leader’s again once all meet (Figure 7)', () => {
    const cluster = new SimulatedCluster({ nodes: 5, limits: { appendBytesMax: 64 } })
    // Each leads a while, writes what it cannot commit, and is cut off.
    for (let round = 0; round < 6; round++) {
      const leader = cluster.awaitLeader()
      cluster.put('k', `common ${round}`)
      const companion = round % 2 === 0 ? others(cluster, leader.id).slice(0, 1) : []
      cluster.partition([leader.id, ...companion], others(cluster, leader.id, ...companion))
      for (let write = 0; write <= round; write++) proposeTo(cluster, leader.id, 'k', `${round}.${write}`)
      cluster.run(2 * longestTimeoutMs(cluster))
      cluster.healLinks()
    }
    cluster.put('k', 'last')
    converge(cluster)
    expect(cluster.world.counts.truncations).toBeGreaterThan(2)
    expect(new Set(cluster.nodes.map((node) => node.hash())).size).toBe(1)
  })

  test('commit nothing of an earlier term by counting (Figure 8)', () => {
    const cluster = new SimulatedCluster({ nodes: 5, limits: { appendBytesMax: 1 } })
    const first = cluster.awaitLeader()
    const [second, ...rest] = others(cluster, first.id) as [number, ...number[]]
    converge(cluster)
    const committed = cluster.world.checker.ledger.last.index
    // (a) The leader of the first term brings its entry to one other node.
    cluster.partition([first.id, second], rest)
    const old = proposeTo(cluster, first.id, 'k', 'of the first term')
    // (b) One of the rest leads, and keeps its entry to itself.
    const undo = cluster.drop(({ type, from }) => type === 'appendEntries' && rest.includes(from))
    cluster.until(() => rest.some((id) => cluster.node(id).state?.role === 'leader'))
    const third = rest.find((id) => cluster.node(id).state?.role === 'leader') ?? 0
    cluster.run(10)
    cluster.losePower(third)
    undo()
    // (c) The entry of the first term comes to a majority under a leader of a third term, none of whose own does:
    // what would bring one is lost, unless it is going to be refused.
    const keep = cluster.drop((message) => {
      if (message.type !== 'appendEntries' || !entriesIn(message).some(({ term }) => term === message.term))
        return false
      const { prevLogIndex: index, prevLogTerm: term } = message
      return cluster.node(message.to).state?.log.has({ index, term }) === true
    })
    cluster.healLinks()
    cluster.until(() => {
      const holders = cluster.nodes.filter(({ state }) => (state?.log.flushedIndex ?? 0) > committed)
      return holders.length >= 3 && cluster.leader !== undefined
    }, 30_000)
    expect(cluster.world.checker.ledger.last.index).toBe(committed)
    expect(old.outcome).toBeUndefined()
    // (e) Once an entry of its own term is committed, the old one is, too.
    keep()
    cluster.restart(third)
    cluster.put('k', 'of a later term')
    converge(cluster)
    expect(cluster.world.checker.ledger.last.index).toBeGreaterThan(committed + 1)
  })
})
