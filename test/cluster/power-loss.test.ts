/** The power of real nodes is lost under load. The promises are the ledger's: what was acknowledged is there. */
import { expect, onTestFinished, test } from 'vitest'
import type { Cluster } from '../../src/cluster/index.js'
import { convergedHashes, Load, startedCluster } from './support.js'

/** Keys of acknowledged writes that are gone. */
async function missingIn(cluster: Cluster, load: Load): Promise<string[]> {
  const missing: string[] = []
  await Promise.all(
    [...load.acknowledged].map(async ([key, value]) => {
      if ((await cluster.get(key))?.value.toString() !== value) missing.push(key)
    }),
  )
  return missing
}

test.each(['threads', 'inline'] as const)(
  '[OU8][DU1] all nodes lose their power at once, under load, and nothing acknowledged is missing (%s)',
  { timeout: 120_000 },
  async (host) => {
    const cluster = await startedCluster({ host, logBytesMax: 256 << 10 })
    const load = new Load(cluster, 32)
    onTestFinished(() => load.stop())
    for (let round = 0; round < 6; round++) {
      await load.reaches(load.acknowledged.size + 100)
      await cluster.losePower('all')
    }
    await load.reaches(load.acknowledged.size + 100)
    await load.stop()
    expect((await convergedHashes(cluster)).size).toBe(1)
    expect(await missingIn(cluster, load)).toEqual([])
    expect(load.acknowledged.size).toBeGreaterThan(600)
  },
)

test('[OU8][DU1] nodes lose their power in turn, under load, and are back at once or later', {
  timeout: 120_000,
}, async () => {
  const cluster = await startedCluster({ logBytesMax: 256 << 10 })
  const load = new Load(cluster, 32)
  onTestFinished(() => load.stop())
  for (let round = 0; round < 6; round++) {
    await load.reaches(load.acknowledged.size + 50)
    // Most of these times are over before the power is gone: the node is brought back all the same.
    await cluster.losePower(
      round % 2 === 0 ? 'any' : (round % 3) + 1,
      round % 3 === 0 ? {} : { forMs: 4 * round },
    )
    while (cluster.status().some(({ state }) => state !== 'running')) await new Promise(setImmediate)
  }
  await load.stop()
  expect((await convergedHashes(cluster)).size).toBe(1)
  expect(cluster.faults).toEqual([])
  expect(await missingIn(cluster, load)).toEqual([])
})
