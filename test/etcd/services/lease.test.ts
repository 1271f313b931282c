import { once } from 'node:events'
import { Duplex } from 'node:stream'
import {
  type ClientDuplexStream,
  type handleBidiStreamingCall,
  Metadata,
  type ServerDuplexStream,
} from '@grpc/grpc-js'
import { expect, test, vi } from 'vitest'
import { EtcdError } from '../../../src/etcd/errors.js'
import type { Member, Served } from '../../../src/etcd/member.js'
import { leaseService } from '../../../src/etcd/services/lease.js'
import { startedEtcd, TestClient } from '../support.js'
import { clientOf, refusal } from './support.js'

interface Renewed {
  readonly ID: string
  readonly TTL: string
}

interface Granted extends Renewed {
  readonly leases: readonly { readonly ID: string }[]
}

const leases = (endpoint = '') => {
  const client = new TestClient(endpoint)
  return (method: string, request: Record<string, unknown> = {}) =>
    client.call(`etcdserverpb.Lease/${method}`, request) as unknown as Promise<Granted>
}

function keepAlive(endpoint = '', metadata = new Metadata()): ClientDuplexStream<object, Renewed> {
  return clientOf('etcdserverpb.Lease', endpoint)['LeaseKeepAlive']?.(metadata)
}

test('the server chooses the id of a lease for which the client has none', async () => {
  const { endpoints } = await startedEtcd({ nodes: 1 })
  const call = leases(endpoints[0])
  const [one, other] = [await call('LeaseGrant', { TTL: 60 }), await call('LeaseGrant', { TTL: 60 })]
  expect(BigInt(one.ID)).toBeGreaterThan(0n)
  expect(one.ID).not.toBe(other.ID)
  expect(await call('LeaseGrant', { TTL: 60, ID: '-5' })).toMatchObject({ ID: '-5', TTL: '60', error: '' })
  const { leases: listed } = await call('LeaseLeases')
  expect(listed.map(({ ID }) => ID).sort()).toEqual([one.ID, other.ID, '-5'].sort())
})

test('a lease that is there twice, or asked for too long, is refused; one that is not there has no time', async () => {
  const { endpoints } = await startedEtcd({ nodes: 1 })
  const call = leases(endpoints[0])
  await call('LeaseGrant', { TTL: 60, ID: 7 })
  const refusals = [
    ['LeaseGrant', { TTL: 60, ID: 7 }, { code: 9, details: 'etcdserver: lease already exists' }],
    ['LeaseGrant', { TTL: '9000000001' }, { code: 11, details: 'etcdserver: too large lease TTL' }],
    ['LeaseRevoke', { ID: 8 }, { code: 5, details: 'etcdserver: requested lease not found' }],
  ] as const
  for (const [method, request, expected] of refusals)
    expect([method, await refusal(call(method, request))]).toEqual([method, expected])
  expect(await call('LeaseTimeToLive', { ID: 8, keys: true })).toMatchObject({ ID: '8', TTL: '-1', keys: [] })
})

test('renewals of one stream are answered in their order, those of leases that are not there too', async () => {
  const { endpoints } = await startedEtcd({ nodes: 1 })
  await leases(endpoints[0])('LeaseGrant', { TTL: 60, ID: 1 })
  const stream = keepAlive(endpoints[0])
  // More than a member has under way for one stream.
  const ids = Array.from({ length: 3000 }, (_, at) => 1 + (at % 3))
  for (const id of ids) stream.write({ ID: id })
  stream.end()
  const answers: Renewed[] = []
  for await (const answer of stream) answers.push(answer)
  expect(answers.map(({ ID }) => Number(ID))).toEqual(ids)
  expect(answers.every(({ ID, TTL }) => TTL === (ID === '1' ? '60' : '0'))).toBe(true)
})

test('a renewal that is done early waits for those before it, and the first that fails ends the stream', async () => {
  const settled: { resolve: (served: Served) => void; reject: (error: Error) => void }[] = []
  const member = {
    isLearner: false,
    look: () => ({ leaderId: 2 }),
    header: () => Buffer.alloc(0),
    propose: () => new Promise<Served>((resolve, reject) => settled.push({ resolve, reject })),
  } as unknown as Member
  const written: string[] = []
  const stream = new Duplex({
    objectMode: true,
    read: () => undefined,
    write: (chunk: Buffer, _, done) => {
      written.push(chunk.toString())
      done()
    },
  })
  const failed = once(stream, 'error')
  const { implementation } = leaseService(member, 1000)
  const call = Object.assign(stream, { metadata: new Metadata() })
  const keepAlive = implementation['LeaseKeepAlive'] as handleBidiStreamingCall<Buffer, Buffer>
  keepAlive(call as unknown as ServerDuplexStream<Buffer, Buffer>)
  for (let at = 0; at < 4; at++) stream.push(Buffer.alloc(0))
  await vi.waitFor(() => expect(settled).toHaveLength(4))
  const done = (at: number) => settled[at]?.resolve({ revision: 1, body: Buffer.from(`answer ${at}`) })
  done(3)
  done(1)
  settled[2]?.reject(new EtcdError('timeout'))
  done(0)
  expect((await failed)[0]).toEqual({ code: 14, details: 'etcdserver: request timed out' })
  expect(written).toEqual(['answer 0', 'answer 1'])
})

test('a client that goes away in the midst of renewals leaves the member as it was', async () => {
  const { endpoints } = await startedEtcd({ nodes: 1 })
  await leases(endpoints[0])('LeaseGrant', { TTL: 60, ID: 1 })
  const stream = keepAlive(endpoints[0])
  for (let at = 0; at < 100; at++) stream.write({ ID: 1 })
  await once(stream, 'data')
  stream.cancel()
  await once(stream, 'error')
  const next = keepAlive(endpoints[0])
  next.write({ ID: 1 })
  expect(await once(next, 'data')).toMatchObject([{ ID: '1', TTL: '60' }])
  next.end()
  await once(next, 'end')
})

test('a stream of a client that asks for a leader ends once the member has none', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  await leases(etcd.endpoints[0])('LeaseGrant', { TTL: 60, ID: 1 })
  const metadata = new Metadata()
  metadata.set('hasleader', 'true')
  const stream = keepAlive(etcd.endpoints[0], metadata)
  stream.write({ ID: 1 })
  await once(stream, 'data')
  await etcd.isolate(1)
  expect((await once(stream, 'error'))[0]).toMatchObject({ code: 14, details: 'etcdserver: no leader' })
  const late = keepAlive(etcd.endpoints[0], metadata)
  expect((await once(late, 'error'))[0]).toMatchObject({ code: 14, details: 'etcdserver: no leader' })
})

test('a member that knows of no leader tells no time of a lease, and renews none', async () => {
  const etcd = await startedEtcd({ nodes: 3, requestTimeoutMs: 1000 })
  const call = leases(etcd.endpoints[0])
  await call('LeaseGrant', { TTL: 60, ID: 1 })
  await etcd.isolate(1)
  const noLeader = { code: 14, details: 'etcdserver: no leader' }
  const client = new TestClient(etcd.endpoints[0] ?? '')
  const status = () => client.call('etcdserverpb.Maintenance/Status', {})
  await vi.waitFor(async () => expect(await status()).toMatchObject({ leader: '0' }), 30_000)
  expect(await refusal(call('LeaseTimeToLive', { ID: 1 }))).toEqual(noLeader)
  const stream = keepAlive(etcd.endpoints[0])
  stream.write({ ID: 1 })
  expect((await once(stream, 'error'))[0]).toMatchObject(noLeader)
})
