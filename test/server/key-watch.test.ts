/** Readers of keys, and looks that are made by hand. */
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Cluster } from '../../src/cluster/index.js'
import { KeyWatches } from '../../src/server/key-watch.js'
import type { Reader, Sent } from '../../src/server/readers.js'

/** A cluster that counts how often it is asked, and answers with these keys, each of which was put once. */
class AskedCluster {
  asked = 0
  keys = ['a']
  hasMore = false

  range(): Promise<object> {
    this.asked++
    const entries = this.keys.map((key) => ({
      ...{ key: Buffer.from(key), value: Buffer.from('1'), version: 1, modRevision: 1 },
    }))
    return Promise.resolve({ entries, hasMore: this.hasMore })
  }
}

class ToldReader {
  isBehind = false
  readonly told: unknown[] = []
  leave: () => void = () => undefined

  send({ data }: Sent): void {
    this.told.push(JSON.parse(data))
  }

  onClose(closed: () => void): void {
    this.leave = closed
  }
}

const told = (put: string[], gone: string[] = [], hasMore = false) => ({
  ...{ put: put.map((key) => ({ key, value: '1', version: 1, modRevision: 1 })), hasMore },
  gone: gone.map((key) => ({ key })),
})

beforeEach(() => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
})

function watched(): { cluster: AskedCluster; begin: () => ToldReader } {
  const cluster = new AskedCluster()
  const watches = new KeyWatches(cluster as unknown as Cluster)
  const begin = (): ToldReader => {
    const reader = new ToldReader()
    watches.tell(reader as unknown as Reader, '', undefined)
    return reader
  }
  return { cluster, begin }
}

const lookAgain = () => vi.advanceTimersByTimeAsync(250)

test('that there are more keys than are told is news by itself', async () => {
  const { cluster, begin } = watched()
  const reader = begin()
  await lookAgain()
  expect(reader.told).toEqual([told(['a'])])
  cluster.hasMore = true
  await lookAgain()
  await lookAgain()
  expect(reader.told).toEqual([told(['a']), told([], [], true)])
})

test('readers of the same keys share their looks, and each is told what is news to it', async () => {
  const { cluster, begin } = watched()
  const first = begin()
  await lookAgain()
  cluster.keys = ['b']
  const [second, slow] = [begin(), begin()]
  slow.isBehind = true
  await vi.advanceTimersByTimeAsync(0)
  const before = cluster.asked
  await lookAgain()
  expect(cluster.asked).toBe(before + 1)
  expect(first.told).toEqual([told(['a']), told(['b'], ['a'])])
  expect(second.told).toEqual([told(['b'])])
  expect(slow.told).toEqual([])
  slow.isBehind = false
  await lookAgain()
  expect(slow.told).toEqual([told(['b'])])
})

test('nobody is asked for readers that have left', async () => {
  const { cluster, begin } = watched()
  const [first, second] = [begin(), begin()]
  await lookAgain()
  first.leave()
  await lookAgain()
  second.leave()
  const before = cluster.asked
  await vi.advanceTimersByTimeAsync(10_000)
  expect(cluster.asked).toBe(before)
  expect(begin().told).toEqual([])
  await lookAgain()
  expect(cluster.asked).toBeGreaterThan(before)
})
