/** Faults of links between real nodes: each does what it says, and its undo undoes it. */
import { expect, test } from 'vitest'
import { brokenCluster, changesOfLeader, leads, statusOf, until, writes } from './broken.js'
import { convergedHashes } from './support.js'

const hosts = ['threads', 'inline'] as const
/** Longer than any test: what is held back so long arrives only when it is healed. */
const never = 600_000

test.each(hosts)(
  'nothing passes a link that is cut, and what was missed comes when it is healed (%s)',
  async (host) => {
    const { cluster, leader, others } = await brokenCluster({ host })
    const [away = 0, near = 0] = others
    const cut = await cluster.cut(leader, away)
    const { messagesReceived, lastIndex } = statusOf(cluster, away)
    const { heartbeatsReceived } = statusOf(cluster, near)
    await writes(cluster, 'a')
    await until(() => statusOf(cluster, near).heartbeatsReceived > heartbeatsReceived + 2)
    if (cluster.leaderId === leader) expect(statusOf(cluster, away).lastIndex).toBe(lastIndex)
    expect(cluster.faults).toMatchObject([{ id: cut.id, fault: { type: 'cut' }, untilMs: undefined }])
    await cut.heal()
    expect(cluster.faults).toEqual([])
    expect((await convergedHashes(cluster)).size).toBe(1)
    expect(statusOf(cluster, away).messagesReceived).toBeGreaterThan(messagesReceived)
  },
)

test('one cut link among three changes the leader once at most, and nothing stands still', async () => {
  const { cluster, events, leader, others } = await brokenCluster()
  const before = changesOfLeader(events)
  await cluster.cut(leader, others[0] ?? 0)
  for (let n = 0; n < 20; n++) {
    await writes(cluster, `${n}`)
    // Several election timeouts pass meanwhile.
    const { heartbeatsReceived } = statusOf(cluster, others[1] ?? 0)
    const lead = await leads(cluster)
    if (lead !== others[1])
      await until(() => statusOf(cluster, others[1] ?? 0).heartbeatsReceived > heartbeatsReceived)
  }
  expect(changesOfLeader(events) - before).toBeLessThanOrEqual(1)
})

test('a bridge among five changes the leader once at most, and nothing stands still', async () => {
  const { cluster, events, leader } = await brokenCluster({ nodes: 5 })
  const [first = 0, second = 0, bridge = 0, ...last] = [
    leader,
    ...cluster
      .status()
      .map(({ nodeId }) => nodeId)
      .filter((id) => id !== leader),
  ]
  const before = changesOfLeader(events)
  await cluster.cut([first, second], last)
  for (let n = 0; n < 20; n++) {
    const { heartbeatsReceived } = statusOf(cluster, bridge)
    await writes(cluster, `${n}`)
    if (cluster.leaderId !== bridge)
      await until(() => statusOf(cluster, bridge).heartbeatsReceived > heartbeatsReceived)
  }
  expect(changesOfLeader(events) - before).toBeLessThanOrEqual(1)
  await cluster.heal()
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('a leader that can send but not hear steps down', async () => {
  const { cluster, events, leader, others } = await brokenCluster()
  await cluster.cut('*', leader, { oneWay: true })
  expect(others).toContain(await leads(cluster, leader))
  await writes(cluster, 'a')
  const stepsDown = events.find(
    (event) =>
      event.type === 'role' &&
      event.nodeId === leader &&
      event.role === 'follower' &&
      event.reason === 'quorumLost',
  )
  expect(stepsDown).toBeDefined()
  expect(statusOf(cluster, leader).role).not.toBe('leader')
})

test('a leader that can hear but not send loses its lead', async () => {
  const { cluster, leader, others } = await brokenCluster()
  await cluster.cut(leader, '*', { oneWay: true })
  expect(others).toContain(await leads(cluster, leader))
  await until(() => statusOf(cluster, leader).role !== 'leader')
  await writes(cluster, 'a')
})

test.each(hosts)('a delay holds messages back, and lets them go when it is healed (%s)', async (host) => {
  const { cluster, leader, others } = await brokenCluster({ host })
  const [away = 0] = others
  const { lastIndex } = statusOf(cluster, away)
  await using _ = await cluster.delay(leader, away, never, { oneWay: true, messages: 'appendEntries' })
  await cluster.put('a', '1')
  expect(statusOf(cluster, away).lastIndex).toBe(lastIndex)
  await cluster.heal(leader, away)
  await until(() => statusOf(cluster, away).lastIndex > lastIndex)
})

test('a delay that is healed leaves nothing of its effect while another one stands', async () => {
  // No other node comes to lead meanwhile.
  const { cluster, leader, others } = await brokenCluster({
    electionTimeoutMs: 60_000,
    requestTimeoutMs: 60_000,
  })
  const long = await cluster.delay(leader, others, never, { oneWay: true, messages: 'appendEntries' })
  await cluster.delay(leader, others, 1, { oneWay: true })
  const put = cluster.put('a', '1')
  await until(() => statusOf(cluster, leader).lastIndex > statusOf(cluster, others[0] ?? 0).lastIndex)
  await long.heal()
  await put
  await cluster.put('b', '1')
})

test('a delay that ends lets its messages arrive by themselves', async () => {
  const { cluster } = await brokenCluster()
  await cluster.delay('*', '*', 5, { jitterMs: 10 })
  for (let n = 0; n < 20; n++) await writes(cluster, `${n}`)
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('a drop of one kind of messages lets the others pass', async () => {
  const { cluster, leader, others } = await brokenCluster({ heartbeatIntervalMs: 50 })
  const [away = 0] = others
  const before = statusOf(cluster, away)
  await cluster.drop(leader, away, 1, { oneWay: true, messages: 'heartbeat' })
  await cluster.put('a', '1')
  await until(() => statusOf(cluster, away).lastIndex > before.lastIndex)
  const { heartbeatsReceived } = statusOf(cluster, away)
  const near = statusOf(cluster, others[1] ?? 0).heartbeatsReceived
  await until(() => statusOf(cluster, others[1] ?? 0).heartbeatsReceived > near + 3)
  if (cluster.leaderId === leader) expect(statusOf(cluster, away).heartbeatsReceived).toBe(heartbeatsReceived)
})

test('each message arrives twice where all are duplicated', async () => {
  const { cluster, leader, others } = await brokenCluster({ electionTimeoutMs: 1500 })
  const [twice = 0, once = 0] = others
  await cluster.duplicate(leader, twice, 1, { oneWay: true })
  const heard = () => [twice, once].map((nodeId) => statusOf(cluster, nodeId).messagesReceived)
  const [twiceBefore = 0, onceBefore = 0] = heard()
  await until(() => (heard()[1] ?? 0) >= onceBefore + 10)
  expect((heard()[0] ?? 0) - twiceBefore).toBeGreaterThan(15)
  await writes(cluster, 'a')
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('a cluster whose messages overtake each other and pass slowly goes on', async () => {
  const { cluster } = await brokenCluster()
  await cluster.reorder('*', '*', 0.3)
  await cluster.throttle('*', '*', 100_000)
  for (let n = 0; n < 30; n++) await writes(cluster, `${n}`, 'v'.repeat(100))
  expect(cluster.faults.map(({ fault }) => fault.type)).toEqual(['reorder', 'throttle'])
  await cluster.heal()
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('a throttled link holds back what does not pass', async () => {
  const { cluster, leader, others } = await brokenCluster()
  const [away = 0] = others
  const { lastIndex } = statusOf(cluster, away)
  await cluster.throttle(leader, away, 1, { oneWay: true, messages: 'appendEntries' })
  await cluster.put('a', '1')
  expect(statusOf(cluster, away).lastIndex).toBe(lastIndex)
  await cluster.heal(away)
  await until(() => statusOf(cluster, away).lastIndex > lastIndex)
})

test.each(hosts)(
  'a leader in a minority loses its lead, and the groups are one again when it is healed (%s)',
  async (host) => {
    const { cluster, leader, others } = await brokenCluster({ host })
    const partition = await cluster.partition([leader, others])
    expect(others).toContain(await leads(cluster, leader))
    await writes(cluster, 'a')
    await until(() => statusOf(cluster, leader).role !== 'leader')
    await partition.heal()
    expect((await convergedHashes(cluster)).size).toBe(1)
  },
)

test('a leader that is isolated is followed by another', async () => {
  const { cluster, leader, others } = await brokenCluster()
  await using _ = await cluster.isolate('leader')
  expect(others).toContain(await leads(cluster, leader))
  await writes(cluster, 'a')
})

test('a fault for a time heals by itself, and both are told', async () => {
  const { cluster, events, leader } = await brokenCluster()
  const { id } = await cluster.isolate(leader, { forMs: 100 })
  await until(() => cluster.faults.length === 0)
  expect((await convergedHashes(cluster)).size).toBe(1)
  await until(() => events.some(({ type }) => type === 'faultHealed'))
  expect(events.filter(({ type }) => type === 'faultBegan' || type === 'faultHealed')).toMatchObject([
    { type: 'faultBegan', fault: { id, line: `isolate ${leader} for 100ms` } },
    { type: 'faultHealed', fault: { id }, by: 'time' },
  ])
})

test.each(hosts)(
  'a leader that its peers hear and its clients do not commits what nobody is told of (%s)',
  async (host) => {
    const { cluster, leader } = await brokenCluster({ host, requestTimeoutMs: 300 })
    {
      await using _ = await cluster.cut(leader, 'clients', { oneWay: true })
      const { commandsApplied } = statusOf(cluster, leader)
      await expect(cluster.put('a', '1')).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
      await until(() => statusOf(cluster, leader).commandsApplied > commandsApplied)
    }
    expect(await cluster.get('a')).toBeDefined()
    {
      await using _ = await cluster.cut('clients', leader, { oneWay: true })
      const { commandsApplied } = statusOf(cluster, leader)
      await expect(cluster.put('b', '1')).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
      expect(statusOf(cluster, leader).commandsApplied).toBe(commandsApplied)
    }
    expect(cluster.leaderId).toBe(leader)
    await cluster.put('c', '1')
    expect(await cluster.get('b')).toBeUndefined()
  },
)

test('requests and answers that are late arrive when the delay is healed', async () => {
  const { cluster, leader } = await brokenCluster({ requestTimeoutMs: 60_000 })
  for (const oneWay of [true, false]) {
    const delay = oneWay
      ? await cluster.delay('clients', leader, never, { oneWay })
      : await cluster.delay(leader, 'clients', never)
    let isAnswered = false
    const put = cluster.put('a', '1').finally(() => {
      isAnswered = true
    })
    const { messagesReceived } = statusOf(cluster, leader)
    await until(() => statusOf(cluster, leader).messagesReceived > messagesReceived + 4)
    expect(isAnswered).toBe(false)
    await delay.heal()
    await put
  }
})
