/** Frozen threads, ended nodes and clocks: each fault does what it says, and its undo undoes it. */
import { expect, test } from 'vitest'
import { brokenCluster, leads, statusOf, until, writes } from './broken.js'
import { convergedHashes } from './support.js'

test('nothing of a frozen leader runs: the others elect another, and it follows once it goes on', async () => {
  const { cluster, events, leader, others } = await brokenCluster()
  const pause = await cluster.pause('leader')
  const frozen = statusOf(cluster, leader)
  expect(frozen.state).toBe('paused')
  expect(others).toContain(await leads(cluster, leader))
  await writes(cluster, 'a')
  expect(statusOf(cluster, leader)).toEqual(frozen)
  expect([...(await cluster.hashes()).keys()].sort()).toEqual(others)
  await pause.heal()
  expect(statusOf(cluster, leader).state).toBe('running')
  await until(() => statusOf(cluster, leader).role === 'follower')
  expect((await convergedHashes(cluster)).size).toBe(1)
  const told = events.filter(
    ({ type, nodeId }) => nodeId === leader && (type === 'paused' || type === 'resumed'),
  )
  expect(told).toMatchObject([{ type: 'paused' }, { type: 'resumed', afterMs: expect.any(Number) }])
})

test('a pause and its resume in a row leave a node that runs, however often', async () => {
  const { cluster, others } = await brokenCluster()
  for (let n = 0; n < 50; n++) {
    const paused = cluster.pause(others[0] ?? 0)
    const healed = cluster.heal()
    await Promise.all([paused, healed])
  }
  for (let n = 0; n < 20; n++) {
    await cluster.pause(others)
    await cluster.resume('all')
  }
  await writes(cluster, 'a')
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('a fault that begins while a node is frozen holds from its first turn on', async () => {
  const { cluster, leader, others } = await brokenCluster()
  const [frozen = 0] = others
  await cluster.pause(frozen)
  const { lastIndex } = statusOf(cluster, frozen)
  await cluster.cut(leader, frozen)
  await writes(cluster, 'a')
  await cluster.resume(frozen)
  const { messagesReceived } = statusOf(cluster, leader)
  await until(() => statusOf(cluster, leader).messagesReceived > messagesReceived + 4)
  // Whoever leads by now, nothing came over the cut link.
  const came = cluster
    .story()
    .passed.filter(({ nodeId, peer, index }) => nodeId === frozen && peer === leader && index > lastIndex)
  expect(came.filter(({ stage }) => stage === 'received')).toEqual([])
  await cluster.heal()
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('a node that is restarted while another one is frozen is linked with it when that goes on', async () => {
  const { cluster, leader, others } = await brokenCluster()
  const [frozen = 0, restarted = 0] = others
  await cluster.pause(frozen)
  await cluster.kill(restarted)
  await cluster.restart(restarted)
  await cluster.resume(frozen)
  await writes(cluster, 'a')
  // Only over the link between the two can they elect one of them.
  await cluster.isolate(leader)
  expect(others).toContain(await leads(cluster, leader))
  await writes(cluster, 'b')
})

test('a frozen node can be killed and brought back, and is not paused any more', async () => {
  const { cluster, others } = await brokenCluster()
  const [frozen = 0] = others
  await cluster.pause(frozen)
  expect(await cluster.kill(frozen)).toBe(frozen)
  expect(cluster.faults).toMatchObject([{ fault: { type: 'kill', nodes: [frozen] } }])
  expect(statusOf(cluster, frozen).state).toBe('stopped')
  await cluster.restart(frozen)
  expect(cluster.faults).toEqual([])
  await writes(cluster, 'a')
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('a cluster whose nodes are all frozen loses its power, and has all that was acknowledged', async () => {
  const { cluster } = await brokenCluster()
  for (let n = 0; n < 20; n++) await cluster.put(`${n}`, `${n}`)
  await cluster.pause('all')
  await cluster.losePower('all')
  expect(cluster.status().map(({ state }) => state)).toEqual(['running', 'running', 'running'])
  await writes(cluster, 'a')
  for (let n = 0; n < 20; n++) expect(String((await cluster.get(`${n}`))?.value)).toBe(`${n}`)
})

test('a cluster is closed while all of its nodes are frozen', async () => {
  const { cluster } = await brokenCluster()
  await cluster.pause('all')
  await cluster.close()
  expect(cluster.faults).toEqual([])
})

test('a node that is killed for a time comes back by itself', async () => {
  const { cluster } = await brokenCluster()
  const killed = await cluster.kill('follower', { forMs: 50 })
  expect(statusOf(cluster, killed).state).toBe('stopped')
  await until(() => statusOf(cluster, killed).state === 'running')
  await until(() => cluster.faults.length === 0)
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('a node that two faults keep down stays down until both are healed', async () => {
  const { cluster, others } = await brokenCluster()
  const [down = 0] = others
  const disk = await cluster.slowDisk(down, 5)
  await cluster.kill(down)
  await disk.heal()
  expect(statusOf(cluster, down).state).toBe('stopped')
  await cluster.heal(down)
  expect(statusOf(cluster, down).state).toBe('running')
})

test.each(['threads', 'inline'] as const)(
  'all that was acknowledged survives a power loss of all nodes (%s)',
  async (host) => {
    const { cluster } = await brokenCluster({ host })
    for (let n = 0; n < 20; n++) await cluster.put(`${n}`, `${n}`)
    await cluster.losePower('all')
    await writes(cluster, 'a')
    for (let n = 0; n < 20; n++) expect(String((await cluster.get(`${n}`))?.value)).toBe(`${n}`)
  },
)

test('a clock is set no further than no lease can be broken by, and at will where none is held', async () => {
  const { cluster, others } = await brokenCluster()
  const [node = 0] = others
  await cluster.skew(node, { offsetMs: 50 })
  await expect(cluster.skew(node, { offsetMs: 50 })).rejects.toThrow(/^skew \d \+50ms: .*could break a lease/)
  await expect(cluster.skew('leader', { drift: 0.5 })).rejects.toThrow(
    /^skew \d \+50%: .*could break a lease/,
  )
  await cluster.heal()
  await cluster.skew(node, { offsetMs: 50 })
  expect(cluster.faults.map(({ fault }) => fault.type)).toEqual(['skew'])
  const free = await brokenCluster({ reads: 'readIndex' })
  await free.cluster.skew('leader', { offsetMs: 5000, drift: 0.5 })
  await writes(free.cluster, 'a')
  expect(await free.cluster.get('a')).toBeDefined()
})
