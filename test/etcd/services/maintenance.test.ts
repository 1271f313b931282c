import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientReadableStream } from '@grpc/grpc-js'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startedEtcd, TestClient } from '../support.js'
import { clientOf, refusal } from './support.js'

interface Part {
  readonly remainingBytes: string
  readonly blob: Buffer
}

const maintenance = (endpoint = '') => {
  const client = new TestClient(endpoint)
  return (method: string, request: Record<string, unknown> = {}) =>
    client.call(`etcdserverpb.Maintenance/${method}`, request)
}

test('a status tells who leads, how far the node has come, and what is wrong', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  await new TestClient(etcd.endpoints[0] ?? '').put('k', 'v')
  const call = maintenance(etcd.endpoints[0])
  const leader = String(etcd.cluster.leaderId)
  const status = await call('Status')
  expect(status).toMatchObject({
    version: '3.4.23',
    leader,
    isLearner: false,
    errors: [],
    header: { revision: '2', memberId: '1' },
  })
  expect(Number(status['raftAppliedIndex'])).toBeGreaterThan(0)
  expect(Number(status['raftIndex'])).toBeGreaterThanOrEqual(Number(status['raftAppliedIndex']))
  expect(Number(status['dbSize'])).toBeGreaterThan(0)
  await etcd.isolate(1)
  await vi.waitFor(async () => expect(await call('Status')).toMatchObject({ leader: '0' }), 30_000)
  expect(await call('Status')).toMatchObject({ errors: ['etcdserver: no leader'] })
})

test('an alarm that a client raises is in each status, and puts wait for its end', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const call = maintenance(etcd.endpoints[0])
  const client = new TestClient(etcd.endpoints[1] ?? '')
  const alarm = { memberID: '1', alarm: 1 }
  expect(await call('Alarm', { action: 1, ...alarm })).toEqual({ header: null, alarms: [alarm] })
  expect(await refusal(client.put('k', 'v'))).toEqual({
    code: 8,
    details: 'etcdserver: mvcc: database space exceeded',
  })
  expect(await call('Status')).toMatchObject({ errors: ['memberID:1 alarm:NOSPACE '] })
  await call('Alarm', { action: 2, ...alarm })
  await client.put('k', 'v')
})

test('an alarm that finds no leader in time is refused by a text without a code, as in etcd', async () => {
  const etcd = await startedEtcd({ nodes: 3, requestTimeoutMs: 1000 })
  await etcd.isolate(1)
  expect(await refusal(maintenance(etcd.endpoints[0])('Alarm'))).toEqual({
    code: 2,
    details: 'etcdserver: request timed out',
  })
})

test('members that have applied the same have the same hashes', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const clients = etcd.endpoints.map((endpoint) => new TestClient(endpoint))
  await clients[0]?.put('k', 'v')
  for (const method of ['Hash', 'HashKV']) {
    const hashes = new Set<unknown>()
    for (const [at, client] of clients.entries()) {
      // The node has applied the put once it has served this.
      await client.get('k')
      hashes.add((await maintenance(etcd.endpoints[at])(method))['hash'])
    }
    expect([method, hashes.size]).toEqual([method, 1])
  }
  const future = maintenance(etcd.endpoints[0])('HashKV', { revision: 9 })
  expect(await refusal(future)).toMatchObject({ code: 11 })
})

test('the leader hands over to a voter, and no other member does', async () => {
  // A busy machine elects no other leader meanwhile.
  const etcd = await startedEtcd({ nodes: 3, electionTimeoutMs: 2000 })
  await etcd.addNode({ learner: true })
  const leader = etcd.cluster.leaderId ?? 0
  const follower = [1, 2, 3].find((nodeId) => nodeId !== leader) ?? 0
  const bad = { code: 9, details: 'etcdserver: bad leader transferee' }
  const atLeader = maintenance(etcd.endpointOf(leader))
  const atFollower = maintenance(etcd.endpointOf(follower))
  expect(await refusal(atFollower('MoveLeader', { targetID: follower }))).toEqual({
    code: 9,
    details: 'etcdserver: not leader',
  })
  expect(await refusal(atLeader('MoveLeader', { targetID: 9 }))).toEqual(bad)
  expect(await refusal(atLeader('MoveLeader', { targetID: 4 }))).toEqual(bad)
  expect(await atLeader('MoveLeader', { targetID: follower })).toEqual({ header: null })
  expect(etcd.cluster.leaderId).toBe(follower)
})

test('a snapshot comes in parts, with the checksum of all of them behind', async () => {
  const etcd = await startedEtcd({ nodes: 1 })
  const client = new TestClient(etcd.endpoints[0] ?? '')
  for (let at = 0; at < 20; at++) await client.put(`key ${at}`, Buffer.alloc(10_000, at))
  const stream: ClientReadableStream<Part> = clientOf('etcdserverpb.Maintenance', etcd.endpoints[0])[
    'Snapshot'
  ]?.({})
  const parts: Part[] = []
  for await (const part of stream) parts.push(part)
  const checksum = parts.pop()?.blob
  const file = Buffer.concat(parts.map(({ blob }) => blob))
  expect(file.byteLength).toBeGreaterThan(200_000)
  expect(file.byteLength % 512).toBe(0)
  expect(checksum).toEqual(createHash('sha256').update(file).digest())
  let left = file.byteLength
  for (const { blob, remainingBytes } of parts) {
    left -= blob.byteLength
    expect(remainingBytes).toBe(String(left))
  }
})

test('a client that goes away in the midst of a snapshot leaves no file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'raftbox-maintenance-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const etcd = await startedEtcd({ nodes: 1, dir: join(folder, 'cluster') })
  vi.stubEnv('TMPDIR', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  const client = new TestClient(etcd.endpoints[0] ?? '')
  for (let at = 0; at < 20; at++) await client.put(`key ${at}`, Buffer.alloc(1_000_000, at))
  const stream = clientOf('etcdserverpb.Maintenance', etcd.endpoints[0])['Snapshot']?.({})
  await once(stream, 'data')
  expect(readdirSync(folder)).toHaveLength(2)
  stream.cancel()
  await once(stream, 'error')
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual(['cluster']), 30_000)
})
