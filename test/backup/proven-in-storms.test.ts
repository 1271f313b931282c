/** What disks prove, held against what a simulated cluster knows to be committed. */
import { expect, test } from 'vitest'
import { type Disk, type Proof, provenBy } from '../../src/backup/proven.js'
import { Dice } from '../../src/faults/index.js'
import { majorityOf, RaftLog } from '../../src/raft/index.js'
import { SimulatedClient } from '../../src/sim/client.js'
import { SimulatedCluster } from '../../src/sim/index.js'
import { SimulatedNemesis } from '../../src/sim/nemesis.js'
import { planOf } from '../../src/sim/plan.js'
import { openMemoryStore } from '../../src/storage/index.js'
import { converge } from '../sim/support.js'

const seeds = Array.from({ length: 20 }, (_, at) => at + 1)

/** What a power loss would leave on the disks at this moment. */
function disksOf(cluster: SimulatedCluster): Disk[] {
  return cluster.nodes.map(({ id: nodeId, disk }) => {
    const { recovered } = openMemoryStore(disk.disk.copy(), { defer: () => undefined })
    const { base, snapshot, entries, membership, votesFromTerm } = recovered
    return { nodeId, log: new RaftLog(base, snapshot, entries, membership), votesFromTerm }
  })
}

/** A majority of the disks, by chance. */
function majorityBy(dice: Dice, disks: readonly Disk[]): Disk[] {
  const left = [...disks]
  while (left.length > majorityOf(disks.length)) left.splice(dice.below(left.length), 1)
  return left
}

function checkHoldsAllCommitted(cluster: SimulatedCluster, proof: Proof | undefined): void {
  const { committed, last } = cluster.world.checker.ledger
  const index = proof?.last.index ?? 0
  expect(index).toBeGreaterThanOrEqual(last.index)
  expect(proof?.log.termAt(last.index) ?? last.term).toBe(committed[last.index]?.term)
}

test.each(seeds)(
  '[BR1] all that is committed is proven, and what is proven is never taken back (seed %i)',
  (seed) => {
    const plan = { ...planOf(seed), losesDisks: false, nodes: seed % 2 === 0 ? 3 : 5 }
    const cluster = new SimulatedCluster({ ...plan, seed })
    const dice = new Dice(seed)
    const nemesis = new SimulatedNemesis(cluster, dice, plan)
    const clients = Array.from(
      { length: 3 },
      (_, at) => new SimulatedClient(cluster, dice, plan.load, at + 1, undefined),
    )
    for (let moment = 0; moment < 20; moment++) {
      cluster.advance(1 + 200 * dice.next())
      const disks = disksOf(cluster)
      checkHoldsAllCommitted(cluster, provenBy(disks))
      checkHoldsAllCommitted(cluster, provenBy(majorityBy(dice, disks)))
      // A log that is cut right behind a snapshot proves no less.
      const { committed } = cluster.world.checker.ledger
      dice.pick(cluster.nodes)?.takeSnapshot((snapshot) => {
        if (snapshot !== undefined) expect(snapshot.term).toBe(committed[snapshot.index]?.term)
      })
    }
    nemesis.stop()
    for (const client of clients) client.stop()
    for (const { id } of cluster.nodes) void cluster.losePower(id)
    const proof = provenBy(disksOf(cluster))
    for (const { id } of cluster.nodes) cluster.restart(id)
    cluster.awaitLeader()
    expect(cluster.put('after', 'the storm').outcome).toBe('applied')
    converge(cluster)
    const { committed } = cluster.world.checker.ledger
    expect(committed[proof?.last.index ?? -1]?.term).toBe(proof?.last.term)
    expect(cluster.violation).toBeUndefined()
  },
)
