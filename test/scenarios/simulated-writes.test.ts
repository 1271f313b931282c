/** Writes of scenarios in virtual time, whose session lets them be sent again. */
import { expect, test } from 'vitest'
import { bothWays } from '../../src/faults/index.js'
import { encode, writePut } from '../../src/machine/index.js'
import { SimulatedWrites, type WriteEnd } from '../../src/scenarios/simulated-writes.js'
import { SimulatedCluster } from '../../src/sim/index.js'

/** A cluster that has a leader, and a session in which one write was made. */
function begun({ tickMs = 10, timeoutMs = 4000 } = {}) {
  const cluster = new SimulatedCluster({ seed: 3, tickMs })
  const leader = cluster.awaitLeader()
  const writes = new SimulatedWrites(cluster, timeoutMs)
  const put = (value: string): { end: WriteEnd | undefined } => {
    const told: { end: WriteEnd | undefined } = { end: undefined }
    writes.write(encode(writePut, 'k', value), (end) => {
      told.end = end
    })
    return told
  }
  const ended = (told: { end: WriteEnd | undefined }): WriteEnd | undefined => {
    cluster.until(() => told.end !== undefined, 2 * timeoutMs)
    return told.end
  }
  expect(ended(put('first'))).toMatchObject({ outcome: 'applied' })
  return { cluster, leader, timeoutMs, put, ended }
}

/** How often a put of this value is in the committed log. */
function copiesOf(cluster: SimulatedCluster, value: string): number {
  const command = Buffer.from(encode(writePut, 'k', value))
  return cluster.world.checker.ledger.committed.filter((entry) => command.equals(entry.command)).length
}

/** A put that the leader commits, and whose answer is lost. */
function committedUnheard({ cluster, leader, put }: ReturnType<typeof begun>) {
  const cut = cluster.faults.begin({ type: 'cut', ways: bothWays('clients', leader.id).slice(1) })
  const told = put('second')
  cluster.until(() => copiesOf(cluster, 'second') > 0)
  cluster.run(20)
  return { told, cut }
}

test('[SE2] a write is sent again when the leader that committed it is gone, and is applied once', () => {
  const run = begun()
  const { cluster, leader, ended } = run
  const { told } = committedUnheard(run)
  cluster.losePower(leader.id)
  expect(ended(told)).toMatchObject({ outcome: 'applied', answers: [{ revision: 2 }] })
  expect(cluster.leaderId).not.toBe(leader.id)
  expect(copiesOf(cluster, 'second')).toBe(2)
})

test('[SE2] a write is sent again when no answer comes, and its client hears the answer to the first copy', () => {
  const run = begun()
  const { cluster, ended } = run
  const { told, cut } = committedUnheard(run)
  const { index } = cluster.world.checker.ledger.last
  void cut.heal()
  expect(ended(told)).toMatchObject({ outcome: 'applied', index, answers: [{ revision: 2 }] })
})

test('[SE6] a write that may have happened in a session that expired is not sent in another one', () => {
  const run = begun({ tickMs: 200, timeoutMs: 200_000 })
  const { cluster, put, leader, ended } = run
  const { told } = committedUnheard(run)
  cluster.faults.begin({ type: 'cut', ways: bothWays('clients', leader.id) })
  cluster.run(70_000)
  void cluster.faults.heal(() => true)
  expect(ended(told)).toEqual({ outcome: 'unknown', why: 'no answer came, and its session has expired' })
  expect(copiesOf(cluster, 'second')).toBe(2)
  expect(ended(put('third'))).toMatchObject({ outcome: 'applied', answers: [{ revision: 3 }] })
})

test('[SE2] a write that waits at a leader without a majority is sent to the next leader', () => {
  const { cluster, leader, timeoutMs, put, ended } = begun()
  cluster.faults.begin({ type: 'isolate', nodes: [leader.id] })
  const { nowMs } = cluster
  expect(ended(put('second'))).toMatchObject({ outcome: 'applied' })
  expect(cluster.nowMs - nowMs).toBeLessThan(timeoutMs / 2)
})

test('the outcome of a write is unknown when no answer comes until its deadline', () => {
  const { cluster, timeoutMs, put, ended } = begun()
  for (const nodeId of cluster.nodeIds) cluster.stallDisk(nodeId)
  const { nowMs } = cluster
  expect(ended(put('second'))).toMatchObject({ outcome: 'unknown' })
  expect(cluster.nowMs - nowMs).toBeLessThan(timeoutMs + 50)
})

test('a write that finds no leader is not done', () => {
  const { cluster, timeoutMs, put, ended } = begun()
  for (const nodeId of cluster.nodeIds) cluster.losePower(nodeId)
  expect(ended(put('second'))).toEqual({
    outcome: 'notDone',
    code: 'NO_LEADER',
    details: { deadlineMs: timeoutMs },
  })
})
