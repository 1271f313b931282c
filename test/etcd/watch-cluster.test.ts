/** Watches on a cluster that is broken meanwhile: each is told of every revision once, in order. */
import { expect, test } from 'vitest'
import type { Etcd } from '../../src/etcd/index.js'
import { read } from '../metrics/scrape.js'
import { startedEtcd, TestClient, until } from './support.js'
import { LastingWatch, needsLeader, WatchCall } from './watch-client.js'

const clientsOf = ({ endpoints }: Etcd): TestClient[] => endpoints.map((endpoint) => new TestClient(endpoint))

const upTo = (last: number, first = 2): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at)

async function revisionOf(client: TestClient): Promise<number> {
  const { header } = await client.call('etcdserverpb.KV/Range', { key: Buffer.from('k') })
  return Number((header as { revision: string }).revision)
}

const put = (key: string, value = ''): object => ({
  requestPut: { key: Buffer.from(key), value: Buffer.from(value) },
})

/** Writes through any member until told to stop; an error is tried again elsewhere. */
async function writeUntil(
  clients: readonly TestClient[],
  writer: number,
  isOver: () => boolean,
): Promise<number> {
  let acknowledged = 0
  for (let at = writer; !isOver(); at++) {
    const client = clients[at % clients.length]!
    const key = `k${writer}-${at % 50}`
    try {
      if (at % 3 === 0)
        await client.call('etcdserverpb.KV/Txn', { success: [put(key), put(`${key}/a`), put(`${key}/b`)] })
      else await client.put(key, String(at))
      acknowledged++
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  return acknowledged
}

test('a hundred watches see every revision once and in order, while members are killed and writers write', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const clients = clientsOf(etcd)
  const watches = Array.from({ length: 100 }, (_, at) => new LastingWatch(clients, at))
  await Promise.all(watches.map((watch) => watch.begin()))
  let isOver = false
  const writers = Array.from({ length: 6 }, (_, at) => writeUntil(clients, at, () => isOver))
  const seen = (count: number): Promise<unknown> => until(() => watches[0]!.revisions.length > count)
  await seen(100)
  for (let round = 0; round < 2; round++) {
    const killed = await etcd.kill('leader')
    await until(() => etcd.cluster.leaderId !== undefined && etcd.cluster.leaderId !== killed)
    await seen(watches[0]!.revisions.length + 100)
    await etcd.restart(killed)
    await seen(watches[0]!.revisions.length + 100)
  }
  isOver = true
  for (const acknowledged of await Promise.all(writers)) expect(acknowledged).toBeGreaterThan(0)
  const last = await revisionOf(clients[0]!)
  await until(() => watches.every(({ revisions }) => revisions.at(-1) === last))
  const counted = watches.map(({ revisions }) => [...new Set(revisions)])
  for (const revisions of counted) expect(revisions).toEqual(upTo(last))
  // A transaction's three events share a revision.
  const [first, ...others] = watches.map(({ revisions }) => revisions)
  expect(first!.length).toBeGreaterThan(last - 1)
  for (const revisions of others) expect(revisions).toEqual(first)
  expect(watches.some(({ breaks }) => breaks > 0)).toBe(true)
})

/** A watch that needs a leader. A busy machine may be without one for a moment, and the client then asks again. */
async function watchOnceLed(client: TestClient): Promise<WatchCall> {
  for (;;) {
    const call = new WatchCall(client, needsLeader)
    const isCreated = await call.create({ key: 'k' }).then(
      () => true,
      () => false,
    )
    if (isCreated) return call
  }
}

test('a member without a leader ends the streams of clients that need one, and no others', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const clients = clientsOf(etcd)
  const follower = [1, 2, 3].find((id) => id !== etcd.cluster.leaderId)!
  const stays = new WatchCall(clients[follower - 1]!)
  await stays.create({ key: 'k' })
  const needs = await watchOnceLed(clients[follower - 1]!)
  await etcd.isolate(follower)
  const error = await until(() => needs.error)
  expect([error.code, error.details]).toEqual([14, 'etcdserver: no leader'])
  const late = new WatchCall(clients[follower - 1]!, needsLeader)
  expect((await until(() => late.error)).details).toBe('etcdserver: no leader')
  expect(stays.error).toBeUndefined()
  await etcd.heal()
  await clients[etcd.cluster.leaderId! - 1]!.put('k', '1')
  await until(() => stays.revisions.length > 0)
  expect(stays.revisions).toEqual([2])
})

test('a member that was cut off and gets a snapshot repeats and misses nothing', async () => {
  const etcd = await startedEtcd({ nodes: 3, logBytesMax: 16_384, trailingBytes: 0 })
  const clients = clientsOf(etcd)
  const follower = [1, 2, 3].find((id) => id !== etcd.cluster.leaderId)!
  const call = new WatchCall(clients[follower - 1]!)
  await call.create({ key: 'k', rangeEnd: 'l' })
  const leader = clients[etcd.cluster.leaderId! - 1]!
  for (let at = 0; at < 20; at++) await leader.put('k', String(at))
  await until(() => call.revisions.length === 20)
  await etcd.isolate(follower)
  const value = Buffer.alloc(200)
  for (let round = 0; round < 20; round++)
    await Promise.all(Array.from({ length: 50 }, (_, at) => leader.put(`k${at}`, value)))
  await etcd.heal()
  await until(() => call.revisions.at(-1) === 1021)
  await leader.put('k', 'last')
  await until(() => call.revisions.at(-1) === 1022)
  expect(call.revisions).toEqual(upTo(1022))
  const metrics = await (await fetch(`${etcd.endpoints[follower - 1]}/metrics`)).text()
  expect(metrics).toMatch(/snapshots_installed\S* [1-9]/)
})

test('a progress request to any member covers a put that was answered before', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const clients = clientsOf(etcd)
  const calls = clients.map((client) => new WatchCall(client))
  await Promise.all(calls.map((call) => call.create({ key: 'k' })))
  for (let at = 0; at < 30; at++) {
    const [writer, call] = [clients[at % 3]!, calls[at % 3]!]
    const { header } = await writer.put(at % 2 === 0 ? 'k' : 'other', String(at))
    const count = call.told.length
    call.send({ progressRequest: {} })
    const progress = await until(() => call.told.slice(count).find(({ watchId }) => watchId === '-1'))
    const { revision } = header as { revision: string }
    expect(Number(progress.header.revision)).toBeGreaterThanOrEqual(Number(revision))
    // All events up to there came before.
    expect(call.revisions).toEqual(upTo(at + 2).filter((each) => each % 2 === 0))
  }
})

test('a member that loses its power ends its streams, and its watches begin anew where they were', async () => {
  const etcd = await startedEtcd({ nodes: 3, logBytesMax: 16_384, trailingBytes: 0 })
  const clients = clientsOf(etcd)
  const watch = new LastingWatch([clients[0]!], 0)
  const stream = new WatchCall(clients[0]!)
  await Promise.all([watch.begin(), stream.create({ key: 'k' })])
  const value = Buffer.alloc(200)
  const put = (at: number): Promise<unknown> =>
    until(() => clients[1]!.put(`k${at}`, value).catch(() => false))
  const puts = (): Promise<unknown> => Promise.all(Array.from({ length: 200 }, (_, at) => put(at)))
  await puts()
  await etcd.losePower(1)
  expect((await until(() => stream.error)).code).toBe(14)
  await puts()
  const last = await revisionOf(clients[1]!)
  await until(() => watch.revisions.at(-1) === last)
  expect(watch.revisions).toEqual(upTo(last))
})

test('a watch from a revision that no store can have disturbs no other watch', async () => {
  const etcd = await startedEtcd({ nodes: 1 })
  const [client, other] = [...clientsOf(etcd), ...clientsOf(etcd)] as [TestClient, TestClient]
  const watch = new WatchCall(client)
  await watch.create({ key: 'k' })
  await client.put('k', '1')
  const odd = new WatchCall(other)
  const [last, first] = ['9223372036854775807', '-9223372036854775808']
  for (const startRevision of [last, '9007199254740993', '-9007199254740993', first])
    await odd.create({ key: 'k', startRevision })
  const areCanceled = (): boolean => odd.told.filter(({ canceled }) => canceled).length === 2
  await until(() => odd.error !== undefined || areCanceled())
  expect([watch.error, odd.error]).toEqual([undefined, undefined])
  await client.put('k', '2')
  await until(() => watch.revisions.length === 2)
  await odd.create({ key: 'k', startRevision: '2' })
  await until(() => odd.revisions.length === 2)
  const canceled = (id: number): string => `${id}@0 canceled compacted -1`
  expect(odd.lines.filter((line) => !line.endsWith('created')).sort()).toEqual(
    [canceled(2), canceled(3), '4@3 2:k=1 3:k=2'].sort(),
  )
  expect(watch.revisions).toEqual([2, 3])
})

test('a client that does not read falls behind, and a compaction that overtakes it cancels its watch', async () => {
  const etcd = await startedEtcd({ nodes: 1 })
  const [client] = clientsOf(etcd)
  const figures = async () => read(await (await fetch(`${etcd.endpoints[0]}/metrics`)).text())
  const areSlow = async (count: number) => {
    const told = await figures()
    return told.get('etcd_debugging_mvcc_slow_watcher_total') === count ? told : undefined
  }
  const slow = new WatchCall(client!)
  await slow.create({ key: 'k', rangeEnd: 'l' })
  slow.pause()
  const value = Buffer.alloc(100_000)
  for (let at = 0; at < 60; at++) await client!.put('k', value)
  const told = await until(() => areSlow(1))
  slow.resume()
  await until(() => slow.revisions.length === 60)
  expect(slow.revisions).toEqual(upTo(61))
  // The connection, the stream and the client hold some events: most have waited in the history.
  expect(told.get('etcd_debugging_mvcc_events_total')).toBeLessThan(30)
  await until(() => areSlow(0))
  slow.pause()
  for (let at = 0; at < 60; at++) await client!.put('k', value)
  await client!.call('etcdserverpb.KV/Compact', { revision: 121 })
  slow.resume()
  await until(() => slow.told.at(-1)?.canceled)
  expect(slow.told.at(-1)?.compactRevision).toBe('121')
  const { revisions } = slow
  expect(revisions).toEqual(upTo(revisions.at(-1)!))
  expect(revisions.at(-1)).toBeLessThan(120)
})
