/** Records that are damaged below a node that runs: it stops where it reads one, and nothing of it is sent or applied. */
import { expect, test } from 'vitest'
import { damageNames } from '../../src/sim/damage.js'
import { SimulatedCluster } from '../../src/sim/index.js'
import { renew } from '../../src/sim/lost-disks.js'
import { DamageError } from '../../src/storage/index.js'
import { converge, others } from './support.js'

/** The leader stops as it reads what the follower lacks; then it is refused, begins anew, and has what the others have. */
function stopsAtDamage(cluster: SimulatedCluster, damage: () => void): void {
  const leader = cluster.awaitLeader()
  const [away = 0] = others(cluster, leader.id)
  cluster.losePower(away)
  for (let round = 0; round < 40; round++) expect(cluster.put('k', `${round}`).outcome).toBe('applied')
  damage()
  cluster.restart(away)
  cluster.until(() => !leader.isUp)
  expect(leader.error).toBeInstanceOf(DamageError)
  cluster.restart(leader.id)
  expect(leader.isUp).toBe(false)
  const { damageMet, damageRefused } = cluster.world.counts
  expect({ damageMet, damageRefused }).toEqual({ damageMet: 1, damageRefused: 1 })
  renew(cluster, leader.id)
  converge(cluster)
  expect(cluster.put('k', 'afterwards').outcome).toBe('applied')
  converge(cluster)
  expect(new Set(cluster.nodes.map((node) => node.hash())).size).toBe(1)
}

// The checks read the disk as it was written: a damage that reached those bytes would be taken for the node's own mistake.
test.each(damageNames)('%s are found by the store, and leave what was written as it is', (name) => {
  const cluster = new SimulatedCluster({ seed: 1 })
  for (let round = 0; round < 10; round++) expect(cluster.put('k', `${round}`).outcome).toBe('applied')
  const { disk } = cluster.node(1)
  const written = [...disk.disk.rows].map(([key, bytes]) => [key, Uint8Array.from(bytes)])
  for (let left = 100; left > 0; left--) expect(disk.damage(name)).toBe(true)
  expect([...disk.disk.rows].map(([key, bytes]) => [key, Uint8Array.from(bytes)])).toEqual(written)
  expect(disk.isDamaged).toBe(true)
})

test.each(damageNames)('[ST4] a leader stops that reads back %s for a follower', (name) => {
  // In each seed other bytes of other records are hit.
  for (let seed = 1; seed <= 8; seed++) {
    const cluster = new SimulatedCluster({ seed, limits: { logMemoryBytesMax: 1 } })
    stopsAtDamage(cluster, () => expect(cluster.leader?.disk.damage(name, 8)).toBe(true))
  }
})

test.each(damageNames)('[ST4] a leader stops that sends a follower a snapshot with %s', (name) => {
  const cluster = new SimulatedCluster({
    bounds: { logBytesMax: 2000, trailingBytes: 0 },
    snapshotPieceBytes: 64,
  })
  stopsAtDamage(cluster, () => {
    for (let left = 200; left > 0; left--) expect(cluster.leader?.disk.damage(name)).toBe(true)
  })
})
