import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Etcd, EtcdOptions } from '../../../src/etcd/index.js'
import { startedEtcd, TestClient, until } from '../support.js'
import { refusal } from './support.js'

interface Told {
  readonly ID: string
  readonly name: string
  readonly peerURLs: readonly string[]
  readonly clientURLs: readonly string[]
  readonly isLearner: boolean
}

const url = 'http://127.0.0.1:7001'
const notFound = { code: 5, details: 'etcdserver: member not found' }
const badUrl = { code: 3, details: 'etcdserver: given member URLs are invalid' }
const notInSync = 'etcdserver: can only promote a learner member which is in sync with leader'
const unhealthy = { code: 14, details: 'etcdserver: unhealthy cluster' }
const urlExists = { code: 9, details: 'etcdserver: Peer URLs already exists' }

class ClusterClient {
  readonly #client: TestClient

  constructor(endpoint = '') {
    this.#client = new TestClient(endpoint)
  }

  async list(): Promise<readonly Told[]> {
    return (await this.#call('MemberList', {})).members
  }

  add(peerURLs: readonly string[], isLearner = false) {
    return this.#call('MemberAdd', { peerURLs, isLearner })
  }

  remove(id: number) {
    return this.#call('MemberRemove', { ID: id })
  }

  update(id: number, peerURLs: readonly string[]) {
    return this.#call('MemberUpdate', { ID: id, peerURLs })
  }

  promote(id: number) {
    return this.#call('MemberPromote', { ID: id })
  }

  /** Promotes as clients of etcd do: once more, as long as the learner is not in sync with the leader. */
  async promoteOnceInSync(id: number) {
    for (;;) {
      const promoted = this.promote(id)
      if ((await refusal(promoted))?.details !== notInSync) return promoted
    }
  }

  async #call(method: string, request: Record<string, unknown>) {
    const answer = await this.#client.call(`etcdserverpb.Cluster/${method}`, request)
    return answer as unknown as { header: { revision: string }; member: Told; members: readonly Told[] }
  }
}

async function started(
  nodes: number,
  options: EtcdOptions = {},
): Promise<{ etcd: Etcd; client: ClusterClient }> {
  const etcd = await startedEtcd({ nodes, ...options })
  return { etcd, client: new ClusterClient(etcd.endpoints[0]) }
}

const ids = (members: readonly Told[]) => members.map(({ ID }) => Number(ID))

test('the list has every member with its address, in the order of ids', async () => {
  const { etcd, client } = await started(3)
  const members = await client.list()
  expect(ids(members)).toEqual([1, 2, 3])
  expect(members.map(({ name }) => name)).toEqual(['node-1', 'node-2', 'node-3'])
  expect(members.flatMap(({ clientURLs }) => clientURLs)).toEqual(etcd.endpoints)
  expect(new Set(members.flatMap(({ peerURLs }) => peerURLs)).size).toBe(3)
})

test('an added member serves at the address that the answer has', async () => {
  const { client } = await started(1)
  const { header, member, members } = await client.add([url])
  expect(header.revision).toBe('0')
  expect(member).toMatchObject({ ID: '2', name: 'node-2', peerURLs: [url], isLearner: false })
  expect(members).toContainEqual(member)
  expect(ids(await new ClusterClient(member.clientURLs[0]).list())).toEqual([1, 2])
})

test('a learner has no vote until it is promoted', async () => {
  const { etcd, client } = await started(1)
  const { member } = await client.add([url], true)
  expect(member.isLearner).toBe(true)
  expect(etcd.status()[1]?.member).toBe('learner')
  const { members } = await client.promoteOnceInSync(2)
  expect(members.map(({ isLearner }) => isLearner)).toEqual([false, false])
  expect(etcd.status()[1]?.member).toBe('voter')
})

test('one learner at a time', async () => {
  const { client } = await started(1)
  await client.add([url], true)
  expect(await refusal(client.add(['http://127.0.0.1:7002'], true))).toEqual({
    code: 9,
    details: 'etcdserver: too many learner members in cluster',
  })
})

test('a learner answers no call but its status and serializable ranges', async () => {
  const { client } = await started(1)
  const { member } = await client.add([url], true)
  const learner = new TestClient(member.clientURLs[0] ?? '')
  const unsupported = { code: 14, details: 'etcdserver: rpc not supported for learner' }
  expect(await refusal(new ClusterClient(member.clientURLs[0]).list())).toEqual(unsupported)
  expect(await refusal(learner.get('k'))).toEqual(unsupported)
  const status = await learner.call('etcdserverpb.Maintenance/Status', {})
  expect(status).toMatchObject({ isLearner: true })
})

test('a voter is not promoted', async () => {
  const { client } = await started(1)
  expect(await refusal(client.promote(1))).toEqual({
    code: 9,
    details: 'etcdserver: can only promote a learner member',
  })
})

test('a learner that does not run is not promoted', async () => {
  const { etcd, client } = await started(1)
  await client.add([url], true)
  await etcd.kill(2)
  expect(await refusal(client.promote(2))).toEqual({
    code: 9,
    details: notInSync,
  })
})

test('a member is removed, and its address is gone', async () => {
  const { etcd, client } = await started(3)
  const other = etcd.endpoints[2]
  const { members } = await client.remove(3)
  expect(ids(members)).toEqual([1, 2])
  expect(etcd.endpoints).not.toContain(other)
})

test('a member answers for its own removal before it ends', async () => {
  const { etcd, client } = await started(3)
  const own = etcd.endpoints[0]
  expect(ids((await client.remove(1)).members)).toEqual([2, 3])
  await vi.waitFor(() => expect(etcd.endpoints).not.toContain(own), { timeout: 30_000 })
})

test('the only member stays', async () => {
  const { client } = await started(1)
  expect(await refusal(client.remove(1))).toEqual({
    code: 2,
    details: 'etcdserver: re-configuration failed due to not enough started members',
  })
})

test('while a voter is down, a member that runs stays, and none is added', async () => {
  const { etcd, client } = await started(3)
  await etcd.kill(3)
  const unhealthy = { code: 14, details: 'etcdserver: unhealthy cluster' }
  expect(await refusal(client.remove(2))).toEqual(unhealthy)
  expect(await refusal(client.add([url]))).toEqual(unhealthy)
  expect(ids((await client.remove(3)).members)).toEqual([1, 2])
})

test('without a quorum, changes that need running voters are refused at once, and a promotion misses its leader', async () => {
  const { etcd, client } = await started(3, { requestTimeoutMs: 1000 })
  await Promise.all([etcd.kill(2), etcd.kill(3)])
  await vi.waitFor(() => expect(etcd.cluster.leaderId).toBeUndefined(), 30_000)
  const unhealthy = { code: 14, details: 'etcdserver: unhealthy cluster' }
  expect(await refusal(client.add([url]))).toEqual(unhealthy)
  expect(await refusal(client.add(['no URL']))).toEqual(badUrl)
  expect(await refusal(client.remove(1))).toEqual(unhealthy)
  expect(await refusal(client.promote(99))).toEqual({ code: 14, details: 'etcdserver: no leader' })
})

test('a peer URL names one member, also while it is being added', async () => {
  const { client } = await started(1)
  const added = client.add([url])
  expect(await refusal(client.add([url]))).toEqual(urlExists)
  await added
  expect(await refusal(client.add([url]))).toEqual(urlExists)
  expect(await refusal(client.update(1, [url]))).toEqual(urlExists)
  await client.remove(2)
  expect((await client.update(1, [url])).members[0]?.peerURLs).toEqual([url])
})

test('peer URLs have a scheme, a host and a port, and no path', async () => {
  const { client } = await started(1)
  const bad = [
    [],
    ['foo'],
    ['ftp://127.0.0.1:1'],
    ['http://127.0.0.1'],
    ['http://127.0.0.1:1/path'],
    [url, ''],
  ]
  for (const urls of bad) expect([urls, await refusal(client.add(urls))]).toEqual([urls, badUrl])
})

test('peer URLs survive the end of the cluster', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'raftbox-members-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const first = await startedEtcd({ nodes: 1, dir })
  await new ClusterClient(first.endpoints[0]).update(1, [url])
  await first.close()
  const second = await startedEtcd({ nodes: 1, dir })
  expect((await new ClusterClient(second.endpoints[0]).list())[0]?.peerURLs).toEqual([url])
})

test('a number that is no id of a member is told so', async () => {
  const { client } = await started(1)
  expect(await refusal(client.remove(99))).toEqual(notFound)
  expect(await refusal(client.update(99, [url]))).toEqual(notFound)
  expect(await refusal(client.promote(99))).toEqual(notFound)
})

test.each(['isolate', 'partition'] as const)(
  'a voter that is cut off (%s) does not count where members are added or removed, and one that is slow does',
  async (fault) => {
    const { etcd } = await started(3, { electionTimeoutMs: 3000 })
    const leader = etcd.cluster.leaderId ?? 0
    const [other = 0, apart = 0] = [1, 2, 3].filter((nodeId) => nodeId !== leader)
    const asked = new ClusterClient(etcd.endpointOf(leader))
    const cut =
      fault === 'isolate' ? await etcd.isolate(apart) : await etcd.partition([[leader, other], [apart]])
    expect(await refusal(asked.add([url]))).toEqual(unhealthy)
    expect(await refusal(asked.remove(other))).toEqual(unhealthy)
    expect(ids(await asked.list())).toEqual([1, 2, 3])
    await cut.heal()
    await etcd.delay(leader, apart, 5)
    await etcd.cut(leader, other, { messages: 'requestVote' })
    await asked.add([url])
    expect(ids(await asked.list())).toHaveLength(4)
  },
)

test('a member that hears no leader tells of the members it knows, and changes none', async () => {
  const { etcd, client } = await started(3, { requestTimeoutMs: 1000 })
  await etcd.isolate(1)
  const timedOut = { code: 14, details: 'etcdserver: request timed out' }
  expect(await refusal(client.add([url]))).toEqual(unhealthy)
  // A leader that is cut off leads on until it notices.
  await until(() => etcd.status()[0]?.leaderId === undefined)
  const changes = [() => client.remove(3), () => client.update(1, [url])]
  for (const change of changes) expect(await refusal(change())).toEqual(timedOut)
  expect(ids(await client.list())).toEqual([1, 2, 3])
})
