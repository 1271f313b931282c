/** The ports of a cluster that speaks etcd's API: each node has its own, which lives and fails with the node. */
import { connect, type Socket } from 'node:net'
import { Metadata } from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { clusterOptionsOf, serveEtcd } from '../../src/etcd/index.js'
import { startedCluster, temporaryFolder } from '../cluster/support.js'
import { startedEtcd, TestClient, until } from './support.js'

/** A raw connection, once it is there. */
async function connected(endpoint: string): Promise<Socket> {
  const { hostname, port } = new URL(endpoint)
  const socket = connect(Number(port), hostname)
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return socket.on('error', () => undefined)
}

const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve))

/** An outcome while it is not known: `undefined`. */
function followed<Outcome>(promise: Promise<Outcome>): {
  outcome: Outcome | undefined
  done: Promise<Outcome>
} {
  const following = { outcome: undefined as Outcome | undefined, done: promise }
  void promise.then((outcome) => {
    following.outcome = outcome
  })
  return following
}

test('every node serves what was written at any other, at once', async () => {
  const etcd = await startedEtcd()
  const clients = etcd.endpoints.map((endpoint) => new TestClient(endpoint))
  expect(clients).toHaveLength(3)
  for (const [at, client] of clients.entries()) {
    const { header } = await client.put('key', `value ${at}`)
    expect(header).toMatchObject({ revision: String(2 + at), memberId: String(at + 1) })
    for (const other of clients) expect(await other.get('key')).toBe(`value ${at}`)
  }
})

test('a client may name a URL or a list of them as its authority', async () => {
  const etcd = await startedEtcd({ nodes: 1 })
  for (const authority of [etcd.endpoints[0] ?? '', '#initially=[http://127.0.0.1:1;http://127.0.0.1:2]']) {
    const client = new TestClient(etcd.endpoints[0] ?? '', { 'grpc.default_authority': authority })
    await client.put('key', authority)
    expect(await client.call('etcdserverpb.Maintenance/Status', {})).toMatchObject({ leader: '1' })
  }
})

test('a killed node refuses connections and ends those that it had, and its port is the same after a restart', async () => {
  const etcd = await startedEtcd()
  const before = [...etcd.endpoints]
  const leaderId = etcd.cluster.leaderId ?? 0
  const endpoint = before[leaderId - 1] ?? ''
  const client = new TestClient(endpoint)
  await client.put('key', 'value')
  const idle = await connected(endpoint)
  const idleEnds = closed(idle)

  const killing = etcd.kill('leader')
  // In the turn of the kill itself.
  expect(etcd.endpoints).toEqual(before.filter((each) => each !== endpoint))
  await idleEnds
  await expect(connected(endpoint)).rejects.toThrow('ECONNREFUSED')
  expect(await killing).toBe(leaderId)
  await expect(client.put('key', 'lost')).rejects.toMatchObject({ code: 14 })
  const others = etcd.endpoints.map((each) => new TestClient(each))
  for (const other of others) expect(await other.get('key')).toBe('value')

  await etcd.restart(leaderId)
  expect(etcd.endpoints).toEqual(before)
  expect(await new TestClient(endpoint).get('key')).toBe('value')
})

test('a node whose disk fails closes its port, and opens it again when the fault is healed', async () => {
  const etcd = await startedEtcd()
  const endpoint = etcd.endpoints[0] ?? ''
  const idleEnds = closed(await connected(endpoint))
  await etcd.failDisk(1)
  const any = new TestClient(etcd.endpoints[1] ?? '')
  await until(() => any.put('key', 'value').catch(() => undefined))
  await idleEnds
  expect(etcd.endpoints).not.toContain(endpoint)
  await etcd.heal()
  expect(etcd.endpoints).toContain(endpoint)
  expect(await new TestClient(endpoint).get('key')).toBe('value')
})

test('a node that loses its power and gets it back has ended its connections, and its port is open again', async () => {
  const etcd = await startedEtcd()
  const endpoint = etcd.endpoints[0] ?? ''
  const client = new TestClient(endpoint)
  await client.put('key', 'value')
  const idleEnds = closed(await connected(endpoint))
  await etcd.losePower(1)
  await idleEnds
  expect(etcd.endpoints).toContain(endpoint)
  expect(await until(() => client.get('key').catch(() => undefined))).toBe('value')
})

test('a paused node accepts connections, is silent to them all, and answers all once it goes on', async () => {
  const etcd = await startedEtcd()
  const leaderId = etcd.cluster.leaderId ?? 0
  const endpoint = etcd.endpoints[leaderId - 1] ?? ''
  const client = new TestClient(endpoint)
  await client.put('key', 'before')

  await etcd.pause(leaderId)
  const written = followed(client.put('key', 'after'))
  const later = await connected(endpoint)
  const ends = followed(closed(later))
  const answers: Buffer[] = []
  later.on('data', (bytes: Buffer) => answers.push(bytes))
  later.write('GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n')
  // The other nodes go on: a client of theirs is answered more than once meanwhile.
  const other = new TestClient(etcd.endpoints[leaderId % 3] ?? '')
  await other.put('other', 'value')
  await other.put('other', 'more')
  expect(written.outcome).toBeUndefined()
  expect(answers).toEqual([])
  expect(ends.outcome).toBeUndefined()

  await etcd.resume(leaderId)
  await written.done
  await until(() => answers.length > 0)
  expect(String(answers[0])).toContain('HTTP/1.1 404')
  expect(await client.get('key')).toBe('after')
  later.destroy()
})

test('a node that is cut off from its clients keeps their connections, is silent to them, and leads on', async () => {
  const etcd = await startedEtcd()
  const endpoint = etcd.endpoints[0] ?? ''
  const client = new TestClient(endpoint)
  await client.put('key', 'before')
  const cut = await etcd.cut('clients', 1)
  const read = followed(client.get('key'))
  const other = new TestClient(etcd.endpoints[1] ?? '')
  await other.put('key', 'after')
  await other.put('more', 'value')
  expect(read.outcome).toBeUndefined()
  await cut.heal()
  expect(await read.done).toBe('after')
})

test('a node that clients do not hear still hears them', async () => {
  const etcd = await startedEtcd()
  const one = new TestClient(etcd.endpoints[0] ?? '')
  const other = new TestClient(etcd.endpoints[1] ?? '')
  await one.put('key', 'before')
  const mute = await etcd.cut(1, 'clients', { oneWay: true })
  const written = followed(one.put('key', 'after'))
  await until(async () => (await other.get('key')) === 'after')
  expect(written.outcome).toBeUndefined()
  await mute.heal()
  await written.done

  const deaf = await etcd.cut('clients', 1, { oneWay: true })
  const lost = followed(one.put('key', 'late'))
  await other.put('other', 'value')
  expect(await other.get('key')).toBe('after')
  expect(lost.outcome).toBeUndefined()
  await deaf.heal()
  await lost.done
  expect(await other.get('key')).toBe('late')
})

test('a delay between a node and its clients hits each request and each answer', async () => {
  const etcd = await startedEtcd()
  const client = new TestClient(etcd.endpoints[0] ?? '')
  await client.put('key', 'value')
  const delayed = await etcd.delay('clients', 1, 150)
  const read = followed(client.get('key'))
  // Others are answered many times over meanwhile.
  const other = new TestClient(etcd.endpoints[1] ?? '')
  for (let time = 0; time < 3; time++) await other.get('key')
  expect(read.outcome).toBeUndefined()
  expect(await read.done).toBe('value')
  // Bytes that are delayed arrive at once when the fault ends.
  await delayed.heal()
  const long = await etcd.delay('clients', 1, 600_000)
  // Another delay that stands keeps nothing of it.
  await etcd.delay('clients', 1, 1)
  const late = followed(client.get('key'))
  await other.get('key')
  expect(late.outcome).toBeUndefined()
  await long.heal()
  expect(await late.done).toBe('value')
})

test('a leader that is cut off from its clients leads on: clients of other nodes notice nothing', async () => {
  // A busy machine elects nobody meanwhile.
  const etcd = await startedEtcd({ electionTimeoutMs: 2000 })
  const leaderId = etcd.cluster.leaderId ?? 0
  const { currentTerm } = etcd.status()[leaderId - 1] ?? {}
  await etcd.cut('clients', leaderId)
  const other = new TestClient(etcd.endpoints[leaderId % 3] ?? '')
  await other.put('key', 'value')
  expect(await other.get('key')).toBe('value')
  expect(etcd.status()[leaderId - 1]).toMatchObject({ role: 'leader', currentTerm })
})

test('a member without a leader refuses at once who asks for one, and others in time', async () => {
  const etcd = await startedEtcd({ requestTimeoutMs: 1000 })
  const client = new TestClient(etcd.endpoints[0] ?? '')
  await until(() => client.put('key', 'value').catch(() => undefined))
  await etcd.isolate(1)
  await until(() => etcd.status()[0]?.leaderId === undefined)
  const asking = new Metadata()
  asking.set('hasleader', 'true')
  const put = { key: Buffer.from('key'), value: Buffer.from('other') }
  await expect(client.call('etcdserverpb.KV/Put', put, asking)).rejects.toMatchObject({
    code: 14,
    details: 'etcdserver: no leader',
  })
  await expect(client.call('etcdserverpb.KV/Put', put)).rejects.toMatchObject({
    code: 14,
    details: 'etcdserver: request timed out',
  })
  await expect(client.get('key')).rejects.toMatchObject({ details: 'etcdserver: request timed out' })
  const local = await client.call('etcdserverpb.KV/Range', { key: Buffer.from('key'), serializable: true })
  expect(local).toMatchObject({ header: { memberId: '1' } })
})

test('a node that is added gets a port, and one that is removed loses it', async () => {
  const etcd = await startedEtcd()
  await new TestClient(etcd.endpoints[0] ?? '').put('key', 'value')
  const added = await etcd.addNode()
  const endpoint = etcd.endpointOf(added) ?? ''
  expect(etcd.endpoints).toHaveLength(4)
  expect(etcd.endpoints).toContain(endpoint)
  expect(await new TestClient(endpoint).get('key')).toBe('value')
  await etcd.removeNode(added)
  expect(etcd.endpoints).not.toContain(endpoint)
  expect(etcd.endpointOf(added)).toBeUndefined()
  await expect(connected(endpoint)).rejects.toThrow('ECONNREFUSED')
})

test('a fault that stood before the addresses were opened stands at them', async () => {
  const cluster = await startedCluster(clusterOptionsOf({ nodes: 1 }))
  const cut = await cluster.cut('clients', 1)
  const server = await serveEtcd(cluster)
  onTestFinished(() => server.close())
  const read = followed(new TestClient(server.endpoints[0] ?? '').get('key').then((value) => ({ value })))
  const later = await connected(server.endpoints[0] ?? '')
  later.destroy()
  expect(read.outcome).toBeUndefined()
  await cut.heal()
  expect(await read.done).toEqual({ value: undefined })
})

const local = (client: TestClient) =>
  client.call('etcdserverpb.KV/Range', { key: Buffer.from('key'), serializable: true })

test('a node that starts is silent until it has applied what was committed, and tells no past as the present', async () => {
  const etcd = await startedEtcd()
  const leader = etcd.cluster.leaderId ?? 0
  const follower = leader === 1 ? 2 : 1
  const writer = new TestClient(etcd.endpointOf(leader) ?? '')
  await writer.put('key', 'old')
  const client = new TestClient(etcd.endpointOf(follower) ?? '')
  await until(async () => ((await local(client)) as { kvs: unknown[] }).kvs.length === 1)
  await etcd.kill(follower)
  await writer.put('key', 'new')
  const apart = await etcd.isolate(follower)
  await etcd.restart(follower)
  const socket = await connected(etcd.endpointOf(follower) ?? '')
  socket.destroy()
  const early = followed(until(() => local(client).catch(() => undefined)))
  await writer.get('key')
  expect(early.outcome).toBeUndefined()
  await apart.heal()
  expect(await early.done).toMatchObject({ kvs: [{ value: Buffer.from('new') }] })
})

test('a cluster of an earlier start is ready with all that it holds', async () => {
  const dir = temporaryFolder()
  const before = await startedEtcd({ dir })
  const writer = new TestClient(before.endpoints[0] ?? '')
  const puts = Array.from({ length: 300 }, (_, at) => writer.put(`key ${at}`, 'value'))
  await Promise.all(puts)
  await before.close()
  const etcd = await startedEtcd({ dir })
  for (const endpoint of etcd.endpoints)
    expect(await local(new TestClient(endpoint))).toMatchObject({ header: { revision: '301' } })
})
