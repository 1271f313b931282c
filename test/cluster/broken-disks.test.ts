/** Faults of disks under real nodes: each does what it says, and its undo undoes it. */
import { expect, test } from 'vitest'
import type { Durability } from '../../src/cluster/index.js'
import { brokenCluster, leads, statusOf, until, writes } from './broken.js'
import { convergedHashes } from './support.js'

/** Longer than any test: a flush that takes so long ends only when it is healed. */
const never = 600_000

test.each([
  ['threads', 'flush'],
  ['inline', 'flush'],
  ['threads', 'none'],
] as const)(
  'a slow disk delays each flush, and what waits is flushed when it is healed (%s, %s)',
  async (host, durability) => {
    const { cluster } = await brokenCluster({ host, durability, requestTimeoutMs: 60_000 })
    let isAnswered = false
    const slow = await cluster.slowDisk('followers', never)
    const put = cluster.put('a', '1').finally(() => {
      isAnswered = true
    })
    const { heartbeatsReceived } = follower()
    await until(() => follower().heartbeatsReceived > heartbeatsReceived + 4)
    expect(isAnswered).toBe(false)
    await slow.heal()
    await put
    await cluster.slowDisk('all', 5)
    await cluster.put('b', '1')

    function follower() {
      return cluster.status().find(({ nodeId }) => nodeId !== cluster.leaderId) ?? expect.fail('no follower')
    }
  },
)

test('a slow disk that is healed leaves nothing of its effect while another one stands', async () => {
  const { cluster } = await brokenCluster({ requestTimeoutMs: 60_000 })
  const long = await cluster.slowDisk('all', never)
  await cluster.slowDisk('all', 1)
  const put = cluster.put('a', '1')
  const { leaderId = 0 } = cluster
  const { lastIndex } = statusOf(cluster, leaderId)
  await until(() => statusOf(cluster, leaderId).lastIndex > lastIndex)
  await long.heal()
  await put
  await cluster.put('b', '1')
})

test.each(['threads', 'inline'] as const)(
  'a leader whose disk stalls hands over its lead, and goes on when it is healed (%s)',
  async (host) => {
    const { cluster, events, leader, others } = await brokenCluster({ host })
    const stall = await cluster.stallDisk('leader')
    await writes(cluster, 'a')
    const { lastIndex } = statusOf(cluster, leader)
    expect(others).toContain(await leads(cluster, leader))
    await writes(cluster, 'b')
    expect(statusOf(cluster, leader).flushedIndex).toBeLessThanOrEqual(lastIndex)
    const why = events.filter(
      (event) => event.type === 'role' && event.nodeId === leader && event.reason === 'diskStalled',
    )
    expect(why.length).toBeGreaterThan(0)
    await stall.heal()
    await until(() => statusOf(cluster, leader).flushedIndex > lastIndex)
    expect((await convergedHashes(cluster)).size).toBe(1)
  },
)

test.each(['threads', 'inline'] as const)(
  'a node whose flush fails stops with the reason, and comes back when it is healed (%s)',
  async (host) => {
    const { cluster, leader } = await brokenCluster({ host })
    const failing = await cluster.failDisk('leader')
    await writes(cluster, 'a')
    await until(() => statusOf(cluster, leader).state === 'failed')
    expect(statusOf(cluster, leader).failure).toContain('the flush failed')
    await failing.heal()
    expect(statusOf(cluster, leader).state).toBe('running')
    expect((await convergedHashes(cluster)).size).toBe(1)
  },
)

test('a disk fails one flush: a node that is restarted under the fault goes on', async () => {
  const { cluster, leader } = await brokenCluster()
  await cluster.failDisk(leader)
  await writes(cluster, 'a')
  await until(() => statusOf(cluster, leader).state === 'failed')
  await cluster.restart(leader)
  await writes(cluster, 'b')
  const { lastIndex } = statusOf(cluster, await leads(cluster))
  await until(() => statusOf(cluster, leader).flushedIndex >= lastIndex)
  expect(statusOf(cluster, leader).state).toBe('running')
  expect(cluster.faults).toMatchObject([{ fault: { type: 'failDisk' } }])
})

test('a disk that was full first still fails a flush afterwards', async () => {
  const { cluster, others } = await brokenCluster()
  const [sick = 0] = others
  await cluster.failDisk(sick)
  const full = await cluster.fullDisk(sick)
  await cluster.put('a', '1')
  await until(() => statusOf(cluster, sick).state === 'failed')
  expect(statusOf(cluster, sick).failure).toContain('disk full')
  await full.heal()
  await until(() => statusOf(cluster, sick).state === 'failed')
  expect(statusOf(cluster, sick).failure).toContain('the flush failed')
})

test('a node that never noticed that its disk fails goes on when that is healed', async () => {
  const { cluster, others } = await brokenCluster()
  // Nothing is written meanwhile.
  const failing = await cluster.failDisk(others)
  await failing.heal()
  await writes(cluster, 'a')
  expect(cluster.status().map(({ state }) => state)).toEqual(['running', 'running', 'running'])
})

test('a node stops at the write that does not fit on its disk, and the bytes that are left outlive it', async () => {
  const { cluster, others } = await brokenCluster()
  const [full = 0] = others
  const fault = await cluster.fullDisk(full, { bytesLeft: 20_000 })
  await cluster.put('a', 'v'.repeat(5000))
  await until(() => statusOf(cluster, full).lastIndex === statusOf(cluster, cluster.leaderId ?? 0).lastIndex)
  await cluster.kill(full)
  await cluster.restart(full)
  for (let n = 0; n < 2; n++) await cluster.put(`${n}`, 'v'.repeat(6000))
  await until(
    () => statusOf(cluster, full).lastApplied === statusOf(cluster, cluster.leaderId ?? 0).lastApplied,
  )
  expect(statusOf(cluster, full).state).toBe('running')
  await cluster.put('b', 'v'.repeat(6000))
  await until(() => statusOf(cluster, full).state === 'failed')
  expect(statusOf(cluster, full).failure).toContain('disk full')
  await fault.heal()
  expect(statusOf(cluster, full).state).toBe('running')
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test.each([
  ['earlier', [3000, 30_000]],
  ['later', [30_000, 3000]],
])('of two bounds of one disk the less comes first (the %s), and the other outlives it', async (_, bytes) => {
  const { cluster, others } = await brokenCluster()
  const [full = 0] = others
  const bounds = []
  for (const bytesLeft of bytes) bounds.push(await cluster.fullDisk(full, { bytesLeft }))
  const isLess = bytes[0] === 3000
  const [less, more] = isLess ? bounds : bounds.toReversed()
  const lastApplied = () => statusOf(cluster, cluster.leaderId ?? 0).lastApplied
  await cluster.put('a', 'v'.repeat(9000))
  await until(() => statusOf(cluster, full).state === 'failed')
  await less?.heal()
  expect(statusOf(cluster, full).state).toBe('running')
  await cluster.put('b', 'v'.repeat(9000))
  await until(() => statusOf(cluster, full).lastApplied === lastApplied())
  expect(statusOf(cluster, full).state).toBe('running')
  // The bytes that are left outlive the node here too.
  await cluster.kill(full)
  await cluster.restart(full)
  await cluster.put('c', 'v'.repeat(14_000))
  await until(() => statusOf(cluster, full).state === 'failed')
  expect(statusOf(cluster, full).failure).toContain('disk full')
  await more?.heal()
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test.each<Durability>(['flush', 'none'])(
  'a disk that stalls and is killed holds nothing back afterwards (%s)',
  async (durability) => {
    const { cluster, others } = await brokenCluster({ durability })
    const [stalled = 0] = others
    await cluster.stallDisk(stalled)
    await writes(cluster, 'a')
    await cluster.kill(stalled)
    await writes(cluster, 'b')
    if (durability === 'none') return
    await cluster.restart(stalled)
    const { lastIndex } = statusOf(cluster, stalled)
    expect(statusOf(cluster, stalled).flushedIndex).toBeLessThanOrEqual(lastIndex)
    await cluster.heal()
    expect((await convergedHashes(cluster)).size).toBe(1)
  },
)
