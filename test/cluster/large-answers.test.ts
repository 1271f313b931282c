/** Many large answers to the calls of one turn, from real nodes. */
import { expect, onTestFinished, test, vi } from 'vitest'
import { CallFrame, RequestPacker } from '../../src/cluster/requests.js'
import { startedCluster } from './support.js'

const valueBytes = 64 << 10

const keyOf = (n: number): string => `key ${`${n}`.padStart(2, '0')}`
/** Commands or queries in each frame that is packed from now on. */
function packedFrames(): () => number[] {
  const takes = vi.spyOn(CallFrame.prototype, 'take')
  onTestFinished(() => takes.mockRestore())
  return () => takes.mock.results.map(({ value }) => value.count)
}

/** Bytes of each part of the answers that comes to a client from now on. */
function receivedParts(): number[] {
  const sizes: number[] = []
  const { take } = RequestPacker.prototype
  const spy = vi.spyOn(RequestPacker.prototype, 'take').mockImplementation(function (
    this: RequestPacker,
    ...given
  ) {
    const request = take.apply(this, given)
    const { parts } = request
    parts.push = (...arrived) => {
      sizes.push(...arrived.map(({ bytes }) => bytes.byteLength))
      return Array.prototype.push.apply(parts, arrived)
    }
    return request
  })
  onTestFinished(() => spy.mockRestore())
  return sizes
}

const largeValue = (n: number): Buffer => Buffer.alloc(valueBytes, `${n};`)

test.each(['threads', 'inline'] as const)(
  '[CA8] hundreds of large values and ranges in one turn are each what was put (%s)',
  { timeout: 60_000 },
  async (host) => {
    const cluster = await startedCluster({ host })
    const keys = Array.from({ length: 20 }, (_, n) => n)
    await Promise.all(keys.map((n) => cluster.put(keyOf(n), largeValue(n))))
    const frames = packedFrames()
    const parts = receivedParts()
    const gets = Array.from({ length: 300 }, (_, at) => (7 * at) % 20)
    const read = gets.map((n) => cluster.get(keyOf(n)))
    const ranges = keys.map((n) => cluster.range({ start: keyOf(n), limit: 5 }))
    const write = cluster.put(keyOf(0), 'small')
    for (const [at, entry] of (await Promise.all(read)).entries()) {
      const isEqual = entry?.value.equals(largeValue(gets[at] ?? 0))
      expect(isEqual || entry?.value.toString() === 'small').toBe(true)
    }
    for (const [n, { entries, hasMore }] of (await Promise.all(ranges)).entries()) {
      expect(entries.map(({ key }) => key.toString())).toEqual(keys.slice(n, n + 5).map(keyOf))
      for (const [at, { value }] of entries.entries())
        expect(value.toString() === 'small' || value.equals(largeValue(n + at))).toBe(true)
      expect(hasMore).toBe(n + 5 < 20)
    }
    await write
    // They were asked together, and are more than a message holds.
    expect(frames()).toContain(320)
    expect(parts.length).toBeGreaterThan(24)
    expect(Math.max(...parts)).toBeLessThanOrEqual(1 << 20)
  },
)

test('no frame has so many compare-and-sets that the values they may answer with are too large', async () => {
  const cluster = await startedCluster({ host: 'inline' })
  await cluster.put('k', largeValue(1))
  const frames = packedFrames()
  const swaps = Array.from({ length: 300 }, () => cluster.cas('k', 'another', 'new'))
  const puts = Array.from({ length: 300 }, (_, n) => cluster.put(keyOf(n), 'small'))
  for (const { swapped, current } of await Promise.all(swaps)) {
    expect(swapped).toBe(false)
    expect(current?.value.equals(largeValue(1))).toBe(true)
  }
  await Promise.all(puts)
  const [first = 0, second = 0, ...others] = frames()
  // Those that fill a frame are fewer for the bytes that they have themselves; and puts go on in the one begun.
  expect(first).toBeLessThanOrEqual(256)
  expect(first).toBeGreaterThan(200)
  // Each frame begins with the header of the session.
  expect([first + second, others]).toEqual([602, []])
})
