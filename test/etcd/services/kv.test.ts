import { expect, test } from 'vitest'
import { startedEtcd, TestClient, until } from '../support.js'
import { WatchCall } from '../watch-client.js'
import { refusal } from './support.js'

const key = Buffer.from('k')
const timedOut = { code: 14, details: 'etcdserver: request timed out' }
const range = (serializable: boolean) => ({ requestRange: { key, serializable } })

test('a node without a leader answers serializable ranges from what it has, and no other', async () => {
  const etcd = await startedEtcd({ nodes: 3, requestTimeoutMs: 1000 })
  const follower = [1, 2, 3].find((nodeId) => nodeId !== etcd.cluster.leaderId) ?? 0
  const client = new TestClient(etcd.endpointOf(follower) ?? '')
  await client.put('k', 'old')
  await etcd.isolate(follower)
  await new TestClient(etcd.endpointOf(etcd.cluster.leaderId ?? 0) ?? '').put('k', 'new')
  const call = (method: string, request: Record<string, unknown>) =>
    client.call(`etcdserverpb.KV/${method}`, request)
  const value = Buffer.from('old')
  expect(await call('Range', { key, serializable: true })).toMatchObject({ kvs: [{ value }] })
  expect(await refusal(call('Range', { key }))).toEqual(timedOut)
  expect(await call('Txn', { success: [range(true)], failure: [range(true)] })).toMatchObject({
    responses: [{ responseRange: { kvs: [{ value }] } }],
  })
  expect(await refusal(call('Txn', { success: [range(true)], failure: [range(false)] }))).toEqual(timedOut)
  expect(await refusal(call('Put', { key, value }))).toEqual(timedOut)
})

test('a transaction that only reads leaves no entry in the log', async () => {
  const etcd = await startedEtcd({ nodes: 1 })
  const client = new TestClient(etcd.endpoints[0] ?? '')
  await client.put('k', 'v')
  const [before] = etcd.status()
  const { header } = await client.call('etcdserverpb.KV/Txn', { success: [range(false)] })
  expect(header).toMatchObject({ revision: '2' })
  expect(etcd.status()[0]?.lastIndex).toBe(before?.lastIndex)
})

test('a compaction takes nothing from a watch that is in step, at the leader and elsewhere', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const [client = new TestClient('')] = etcd.endpoints.map((endpoint) => new TestClient(endpoint))
  const watches = etcd.endpoints.map((endpoint) => new WatchCall(new TestClient(endpoint)))
  for (const watch of watches) await watch.create({ key: 'k' })
  for (let round = 0; round < 60; round++) {
    // Three puts share a turn of the node more often than not, and the compaction is on their heels.
    const puts = await Promise.all(['a', 'b', 'c'].map((value) => client.put('k', value)))
    const revisions = puts.map(({ header }) => Number((header as { revision: string }).revision))
    await client.call('etcdserverpb.KV/Compact', { revision: Math.max(...revisions) })
  }
  for (const watch of watches) {
    await until(() => watch.told.some(({ canceled }) => canceled) || watch.revisions.length === 180)
    expect(watch.lines.filter((line) => line.includes('canceled'))).toEqual([])
  }
})

test('a malformed request and one that is too large are refused, and the next is served', async () => {
  const etcd = await startedEtcd({ nodes: 1 })
  const client = new TestClient(etcd.endpoints[0] ?? '')
  const malformed = new Promise((resolve, reject) => {
    const bytes = (): Buffer => Buffer.from([0x0a, 0x7f])
    client.grpc.makeUnaryRequest(
      '/etcdserverpb.KV/Put',
      bytes,
      (answer) => answer,
      {},
      (error, answer) => (error === null ? resolve(answer) : reject(error)),
    )
  })
  expect(await refusal(malformed)).toMatchObject({ code: 13 })
  expect(await refusal(client.put('k', Buffer.alloc(1.5 * 2 ** 20)))).toEqual({
    code: 3,
    details: 'etcdserver: request is too large',
  })
  expect(await refusal(client.put('k', Buffer.alloc(3 * 2 ** 20)))).toMatchObject({ code: 8 })
  expect(await refusal(client.put('', 'v'))).toEqual({ code: 3, details: 'etcdserver: key is not provided' })
  await client.put('k', 'v')
  expect(await client.get('k')).toBe('v')
})
