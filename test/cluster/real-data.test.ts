/** Real records in large number, and a leader that dies half-way: nothing that was acknowledged may be missing. */
import { expect, test } from 'vitest'
import type { Cluster, RaftError } from '../../src/cluster/index.js'
import { allCities } from '../cities.js'
import { convergedHashes, startedCluster } from './support.js'

const inFlightMax = 2000

function records(): Map<string, string> {
  return new Map(allCities().map((city) => [`city/${city.cityId}`, JSON.stringify(city)]))
}

/** Works through the items with many calls in flight. */
async function forEach<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: inFlightMax }, worker))
}

/** Puts until it is acknowledged. A put whose outcome is unknown may be repeated: the same value put twice is as put once. */
async function putUntilAcknowledged(cluster: Cluster, key: string, value: string): Promise<void> {
  for (;;) {
    try {
      await cluster.put(key, value)
      return
    } catch (error) {
      const { isRetryable, mayHaveHappened } = error as RaftError
      if (!isRetryable && mayHaveHappened !== 'maybe') throw error
    }
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Kills the leader once the calls that follow the present answers are on their way to it. Resolves with the count of
 * entries that it had taken and not applied, so that it had answered none of them.
 */
async function killAndRestart(cluster: Cluster): Promise<number> {
  for (let turn = 0; turn < 2; turn++) await nextTurn()
  while (cluster.leaderId === undefined) await nextTurn()
  const killed = await cluster.kill('leader')
  const { lastIndex = 0, lastApplied = 0 } = cluster.status().find(({ nodeId }) => nodeId === killed) ?? {}
  await cluster.restart(killed)
  return lastIndex - lastApplied
}

test('every city of the world is on all three nodes, although the leader was killed half-way', async () => {
  const cluster = await startedCluster({ logBytesMax: 4 << 20 })
  const cities = records()
  expect(cities.size).toBeGreaterThan(100_000)
  let acknowledged = 0
  let unanswered = 0
  let comingBack: Promise<void> | undefined
  // Where all calls were just answered, the kill proves little: another one follows.
  const killWhileCallsAreOnTheirWay = async (): Promise<void> => {
    while (unanswered === 0 && acknowledged < cities.size) unanswered += await killAndRestart(cluster)
  }
  await forEach(cities, async ([key, value]) => {
    await putUntilAcknowledged(cluster, key, value)
    acknowledged++
    if (acknowledged === cities.size >> 1) comingBack = killWhileCallsAreOnTheirWay()
  })
  await comingBack
  expect(acknowledged).toBe(cities.size)
  expect(unanswered).toBeGreaterThan(0)

  expect((await convergedHashes(cluster)).size).toBe(1)
  expect(cluster.status().map(({ state }) => state)).toEqual(['running', 'running', 'running'])
  let lost = 0
  await forEach(cities, async ([key, value]) => {
    if ((await cluster.get(key))?.value.toString() !== value) lost++
  })
  expect(lost).toBe(0)
}, 240_000)
