/** A nemesis in the hands of a program that has nothing but the package. */
import { expect, test } from 'vitest'
import type { Cluster, DrawName } from '../../src/cluster/index.js'
import { brokenCluster, until, writes } from './broken.js'

test('a nemesis strikes until it is stopped, and takes back what stands', async () => {
  const { cluster, events } = await brokenCluster({ host: 'inline' })
  const nemesis = cluster.nemesis(7)
  const begun = () => events.filter(({ type }) => type === 'faultBegan').length
  nemesis.start(1, ['cut', 'kill', 'slowDisk'])
  await until(() => begun() >= 3)
  await nemesis.stop()
  expect(cluster.faults).toEqual([])
  expect([...nemesis.begun.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(3)
  await writes(cluster, 'after')
})

/** The faults of a few strikes at the only node. */
async function drawn(cluster: Cluster, seed: number): Promise<unknown[]> {
  const nemesis = cluster.nemesis(seed)
  const names: readonly DrawName[] = ['slowDisk', 'delayClients', 'cutClients', 'skew']
  const faults = Array.from({ length: 6 }, () => nemesis.strike(names)?.standing.fault)
  await nemesis.stop()
  return faults
}

test('the seed decides what a nemesis draws', async () => {
  const { cluster } = await brokenCluster({ nodes: 1, host: 'inline' })
  const first = await drawn(cluster, 7)
  expect(await drawn(cluster, 7)).toEqual(first)
  expect(await drawn(cluster, 8)).not.toEqual(first)
})

test('a second start of a nemesis counts alone', async () => {
  const { cluster } = await brokenCluster({ nodes: 1, host: 'inline' })
  const nemesis = cluster.nemesis(7)
  nemesis.start(1, ['cutClients'])
  nemesis.start(1, ['slowDisk'])
  await until(() => (nemesis.begun.get('slowDisk') ?? 0) >= 3)
  await nemesis.stop()
  expect([...nemesis.begun.keys()]).toEqual(['slowDisk'])
})
