/** The entries that disks prove, held against those that a simulated cluster knows to be committed. */
import { expect, test } from 'vitest'
import { type Disk, type Proof, provenBy, provenIn } from '../../src/backup/proven.js'
import { stateOnDisk } from '../../src/backup/state.js'
import { Dice } from '../../src/faults/index.js'
import { createKv, type StateMachine } from '../../src/machine/index.js'
import { type EntryRun, type LogIndex, lastIndexOf, RaftLog, sliceRun } from '../../src/raft/index.js'
import { SimulatedClient } from '../../src/sim/client.js'
import { SimulatedCluster } from '../../src/sim/index.js'
import { SimulatedNemesis } from '../../src/sim/nemesis.js'
import { Operator } from '../../src/sim/operator.js'
import { planOf } from '../../src/sim/plan.js'
import { openMemoryStore } from '../../src/storage/index.js'

const seeds = Array.from({ length: 20 }, (_, at) => at + 1)

/** The disks as a power loss would leave them at this moment. */
function disksOf(cluster: SimulatedCluster): Disk[] {
  return cluster.nodes.map(({ id: nodeId, disk }) => {
    const { recovered } = openMemoryStore(disk.disk.copy(), { defer: () => undefined })
    const { base, snapshot, entries, membership, votesFromTerm } = recovered
    return { nodeId, log: new RaftLog(base, snapshot, entries, membership), votesFromTerm }
  })
}

/** The state that an export of these disks holds, told by its hash. */
interface Exported {
  readonly index: LogIndex
  readonly hash: string
  readonly revision: number | undefined
}

/** A simulated node masks the snapshot of its machine by the first byte of it. */
function unmaskingKv(): StateMachine {
  const machine = createKv()
  const restore = machine.restore.bind(machine)
  machine.restore = (pieces) => {
    const [mask = 0, ...masked] = [...pieces].flatMap((piece) => [...piece])
    restore([Uint8Array.from(masked, (byte) => byte ^ mask)])
  }
  return machine
}

/** What an export would write if all nodes lost their power at this moment, from the disk of one node. */
function exportOf(cluster: SimulatedCluster, dice: Dice): Exported | undefined {
  const disks = disksOf(cluster)
  const proof = provenBy(disks)
  const chosen = dice.pick(disks.filter(({ nodeId }) => proof?.electable.includes(nodeId)))
  if (chosen === undefined) return undefined
  const { index } = provenIn(chosen.log, proof)
  const { store, recovered } = openMemoryStore(cluster.node(chosen.nodeId).disk.disk.copy(), {
    defer: () => undefined,
  })
  const { snapshot } = recovered
  const bytes = snapshot && store.readSnapshot(snapshot.index, 0, snapshot.size)
  const runs = (from: LogIndex, to: LogIndex): EntryRun[] =>
    recovered.entries.flatMap((run) => {
      const whole = run.bytes === undefined ? store.readEntries(run) : run
      const [first, last] = [Math.max(from, run.index), Math.min(to, lastIndexOf(run))]
      return whole === undefined || first > last ? [] : [sliceRun(whole, first, last)]
    })
  const pieces = bytes === undefined ? [] : [bytes]
  const state = stateOnDisk(unmaskingKv(), 'kv', { ...recovered, pieces, runs }, index)
  return { index, hash: state.hash(), revision: state.summary()['revision'] }
}

function checkHoldsAllCommitted(cluster: SimulatedCluster, { last, log }: Proof): void {
  const { committed, last: known } = cluster.world.checker.ledger
  expect(last.index).toBeGreaterThanOrEqual(known.index)
  expect(log.termAt(known.index) ?? known.term).toBe(committed[known.index]?.term)
}

/** Each attempt writes another value: a refused command must never be applied. */
function isWritten(cluster: SimulatedCluster, attempt: number): boolean {
  cluster.awaitLeader()
  return cluster.put('after the storm', `attempt ${attempt}`).outcome === 'applied'
}

test.each(seeds)(
  '[BR1] all that is committed is proven, and what is proven is never taken back (seed %i)',
  (seed) => {
    const nodes = seed % 2 === 0 ? 3 : 5
    const drawn = { ...planOf(seed), losesDisks: false, damagesDisks: false, isSwarm: false, nodes }
    const plan = { ...drawn, changeGapMs: seed % 3 === 0 ? 0 : 150 }
    const cluster = new SimulatedCluster({ ...plan, seed })
    const dice = new Dice(seed)
    const nemesis = new SimulatedNemesis(cluster, dice, dice, plan)
    const operator = plan.changeGapMs === 0 ? undefined : new Operator(cluster, dice, plan)
    const clients = Array.from(
      { length: 3 },
      (_, at) => new SimulatedClient(cluster, dice, plan.load, at + 1, undefined),
    )
    let proofsOfSome = 0
    const exports: Exported[] = []
    for (let moment = 0; moment < 20; moment++) {
      cluster.advance(1 + 200 * dice.next())
      const disks = disksOf(cluster)
      const proof = provenBy(disks)
      expect(proof).toBeDefined()
      if (proof !== undefined) checkHoldsAllCommitted(cluster, proof)
      const exported = exportOf(cluster, dice)
      if (exported !== undefined) exports.push(exported)
      // Where some disks are lost, the others prove as much, or nothing.
      const ofSome = provenBy(disks.filter(() => dice.chance(0.7)))
      if (ofSome !== undefined) checkHoldsAllCommitted(cluster, ofSome)
      if (ofSome !== undefined) proofsOfSome++
      // A log that is cut right behind a snapshot proves no less.
      const { committed } = cluster.world.checker.ledger
      dice.pick(cluster.nodes)?.takeSnapshot((snapshot) => {
        if (snapshot !== undefined) expect(snapshot.term).toBe(committed[snapshot.index]?.term)
      })
    }
    expect(proofsOfSome).toBeGreaterThan(0)
    operator?.stop()
    nemesis.stop()
    for (const client of clients) client.stop()
    for (const { id } of cluster.nodes) void cluster.losePower(id)
    const proof = provenBy(disksOf(cluster))
    for (const { id } of cluster.nodes) cluster.restart(id)
    // A leader that was removed hands over first.
    for (let attempt = 1; !isWritten(cluster, attempt); attempt++) {
      expect(attempt).toBeLessThan(20)
      cluster.advance(cluster.electionTimeoutMs)
    }
    const { committed } = cluster.world.checker.ledger
    expect(committed[proof?.last.index ?? -1]?.term).toBe(proof?.last.term)
    // Each export holds the state at an entry that was committed, then or later.
    expect(exports.length).toBeGreaterThan(0)
    for (const { index, hash, revision } of exports) {
      expect(revision).toBe(committed[index]?.revision)
      expect(hash).toBe(committed[index]?.hash ?? hash)
    }
    expect(cluster.violation).toBeUndefined()
  },
)
