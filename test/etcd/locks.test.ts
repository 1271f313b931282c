/** Locks and elections on a cluster whose members are killed meanwhile, and of keys that are none. */
import { expect, test } from 'vitest'
import { refusal } from './services/support.js'
import { startedEtcd, TestClient, until } from './support.js'

const key = (text: string): Buffer => Buffer.from(text)
const [one, two] = [0x1234, 0x5678]

interface Failed {
  readonly code: number
}

function count(client: TestClient, prefix: string): Promise<number> {
  const range = { key: key(`${prefix}/`), rangeEnd: key(`${prefix}0`), countOnly: true }
  return client.call('etcdserverpb.KV/Range', range).then(
    (answer) => Number(answer['count']),
    () => -1,
  )
}

/** Tries until it is done. */
const retried = (act: () => Promise<object>): Promise<object> => until(() => act().catch(() => undefined))

test('a client whose member is killed while it waits for a lock keeps its place, and waits on at another', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const clients = etcd.endpoints.map((endpoint) => new TestClient(endpoint))
  for (const id of [one, two]) await clients[0]!.call('etcdserverpb.Lease/LeaseGrant', { TTL: 600, ID: id })
  const lock = (at: number, lease: number): Promise<object> =>
    clients[at]!.call('v3lockpb.Lock/Lock', { name: key('n'), lease })
  await lock(0, one)
  const waits = lock(1, two).catch((error: Failed) => error.code)
  await until(async () => (await count(clients[0]!, 'n')) === 2)
  await etcd.kill(2)
  expect(await waits).toBe(14)
  expect(await until(async () => (await count(clients[0]!, 'n')) === 2)).toBe(true)
  const again = retried(() => lock(2, two))
  await retried(() => clients[0]!.call('v3lockpb.Lock/Unlock', { key: key('n/1234') }))
  expect(await again).toMatchObject({ key: key('n/5678') })
})

test('a candidate is elected over a change of the cluster’s leader', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const clients = etcd.endpoints.map((endpoint) => new TestClient(endpoint))
  for (const id of [one, two]) await clients[0]!.call('etcdserverpb.Lease/LeaseGrant', { TTL: 600, ID: id })
  const leader = etcd.cluster.leaderId!
  const stays = clients[leader % 3]!
  const campaign = (client: TestClient, lease: number): Promise<Record<string, unknown>> =>
    client.call('v3electionpb.Election/Campaign', { name: key('e'), lease, value: key(String(lease)) })
  const { leader: elected } = await campaign(clients[leader - 1]!, one)
  const waits = campaign(stays, two)
  await until(async () => (await count(stays, 'e')) === 2)
  await etcd.kill(leader)
  await retried(() => stays.call('v3electionpb.Election/Resign', { leader: elected }))
  expect((await waits)['leader']).toMatchObject({ key: key('e/5678') })
  const { kv } = await stays.call('v3electionpb.Election/Leader', { name: key('e') })
  expect(kv).toMatchObject({ value: key(String(two)) })
})

test.each(['Proclaim', 'Resign'])('%s of no key is refused, and puts none', async (method) => {
  const etcd = await startedEtcd({ nodes: 1 })
  const client = new TestClient(etcd.endpoints[0] ?? '')
  const leader = { name: Buffer.from('e'), key: Buffer.from(''), rev: '0', lease: '0' }
  const call = client.call(`v3electionpb.Election/${method}`, { leader, value: Buffer.from('x') })
  expect(await refusal(call)).toEqual({ code: 2, details: 'etcdserver: key is not provided' })
})
