import { describe, expect, test } from 'vitest'
import { encode, writePut } from '../../src/machine/index.js'
import { type Outcome, SimulatedCluster } from '../../src/sim/index.js'
import { converge, logOf, others, valueIn, Writers } from './support.js'

describe('power', () => {
  test('may fail everywhere at once, and all that was acknowledged is there again', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const cluster = new SimulatedCluster({ seed, disk: { flushMs: 2, flushJitterMs: 5 } })
      cluster.awaitLeader()
      const writers = new Writers(cluster, 6)
      for (let round = 0; round < 4; round++) {
        cluster.run(300)
        for (const { id } of cluster.nodes) cluster.losePower(id)
        cluster.run(20)
        for (const { id } of cluster.nodes) cluster.restart(id)
        cluster.awaitLeader()
      }
      writers.stop()
      cluster.put('k', 'after')
      converge(cluster)
      expect(writers.acknowledged).toBeGreaterThan(50)
    }
  })

  test('takes away what was not flushed, and nothing that was acknowledged', () => {
    const cluster = new SimulatedCluster()
    const leader = cluster.awaitLeader()
    cluster.put('k', 'kept')
    const { lastIndex } = logOf(leader)
    const stalls = cluster.nodeIds.map((id) => cluster.stallDisk(id))
    let lost: Outcome | undefined
    cluster.send(leader.id, 'propose', [putOf('lost')], (outcome) => {
      lost = outcome
    })
    cluster.run(50)
    expect(logOf(leader).lastIndex).toBe(lastIndex + 1)
    for (const { id } of cluster.nodes) cluster.losePower(id)
    for (const stall of stalls) void stall.heal()
    for (const { id } of cluster.nodes) cluster.restart(id)
    cluster.awaitLeader()
    expect(lost).toMatchObject({ outcome: 'unknown' })
    expect(valueIn(cluster.get('k'))).toBe('kept')
  })
})

function putOf(value: string): Uint8Array {
  return encode(writePut, 'k', value)
}

describe('a flush that fails', () => {
  test.each([1, 2, 3, 4])(
    'stops its node with the error, and the node says nothing more (seed %i)',
    (seed) => {
      const cluster = new SimulatedCluster({ seed })
      const leader = cluster.awaitLeader()
      const [sick] = others(cluster, leader.id) as [number]
      cluster.failDisk(sick)
      let said = 0
      cluster.drop(({ from }) => {
        if (from === sick && cluster.node(sick).error !== undefined) said++
        return false
      })
      expect(cluster.put('k', 'v')).toMatchObject({ outcome: 'applied' })
      cluster.until(() => cluster.node(sick).error !== undefined)
      expect(String(cluster.node(sick).error)).toMatch(/flush failed/)
      expect(cluster.node(sick).isUp).toBe(false)
      cluster.run(1000)
      expect(said).toBe(0)
      cluster.restart(sick)
      converge(cluster)
    },
  )

  test('on the leader is never an acknowledgement: its callers learn that it is unknown', () => {
    const cluster = new SimulatedCluster()
    const leader = cluster.awaitLeader()
    cluster.partition([leader.id], others(cluster, leader.id))
    cluster.failDisk(leader.id)
    expect(cluster.put('k', 'v', leader.id)).toMatchObject({ outcome: 'unknown' })
    expect(leader.isUp).toBe(false)
  })

  test('for want of room stops the node just the same', () => {
    const cluster = new SimulatedCluster()
    const leader = cluster.awaitLeader()
    cluster.faults.begin({ type: 'fullDisk', nodes: [leader.id], bytesLeft: 0 })
    expect(cluster.put('k', 'v', leader.id)).toMatchObject({ outcome: 'unknown' })
    expect(leader.error).toBeInstanceOf(Error)
    expect(cluster.awaitLeader().id).not.toBe(leader.id)
  })
})

test('every frame twice, every command once', () => {
  const cluster = new SimulatedCluster({ network: { duplicationRate: 1, jitterMs: 5 } })
  cluster.awaitLeader()
  const writers = new Writers(cluster, 4)
  cluster.run(3000)
  writers.stop()
  converge(cluster)
  expect(cluster.world.counts.repeated).toBeGreaterThan(1000)
  // Each write makes one revision, and the ledger holds no command twice.
  expect(cluster.world.checker.model.revision).toBeGreaterThanOrEqual(writers.acknowledged)
})
