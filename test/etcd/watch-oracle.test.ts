/** Watches, locks and elections answer as Debian's etcd does: the same script is told to both. */
import { Metadata, type ServiceError } from '@grpc/grpc-js'
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader'
import { expect, onTestFinished, test } from 'vitest'
import { protos } from '../../src/etcd/protos.js'
import { hasEtcd, startRealEtcd } from './real-etcd.js'
import { startedEtcd, TestClient, until } from './support.js'
import { WatchCall } from './watch-client.js'

async function bothTell(script: (client: TestClient) => Promise<string[]>): Promise<void> {
  const real = await startRealEtcd()
  onTestFinished(() => real.close())
  const etcd = await startedEtcd({ nodes: 3 })
  const told = await script(new TestClient(`http://${real.endpoints[0]}`))
  for (const endpoint of etcd.endpoints.slice(0, 1))
    expect(await script(new TestClient(endpoint))).toEqual(told)
}

const key = (text: string): Buffer => Buffer.from(text)

async function watches(client: TestClient): Promise<string[]> {
  const call = new WatchCall(client)
  const story: string[] = []
  let seen = 0
  /** Sends, and waits for so many responses. Watches have no order among each other. */
  const step = async (name: string, count: number, ...requests: readonly object[]): Promise<void> => {
    for (const request of requests) call.send(request)
    await until(() => call.told.length >= seen + count)
    story.push(name, ...call.lines.slice(seen).sort())
    seen = call.told.length
  }
  const create = (request: object): object => ({ createRequest: { key: key('a'), ...request } })
  const put = (value: string): Promise<unknown> => client.put('a', value)
  for (let at = 0; at < 5; at++) await put(`v${at}`)
  await step('negative', 3, create({ startRevision: -1 }), create({ startRevision: -5 }))
  await step('the past', 2, create({ startRevision: 3, prevKv: true }))
  await put('x')
  await step('a put', 2)
  await step('an id twice', 1, create({ watchId: 1 }))
  await step('id -1', 2, create({ watchId: -1, key: key('z') }), create({ watchId: -1, key: key('z') }))
  await step('empty range', 1, create({ key: key('b'), rangeEnd: key('a') }))
  await step('the future', 1, create({ startRevision: 1000 }))
  await step('progress', 1, { progressRequest: {} })
  await step('cancel', 1, { cancelRequest: { watchId: 0 } }, { cancelRequest: { watchId: 77 } })
  await put('y')
  await client.call('etcdserverpb.KV/Compact', { revision: 8, physical: true })
  await step('a put', 1)
  await step('compacted', 2, create({ startRevision: 2, watchId: 50 }))
  await step('cancel of a compacted one', 1, { cancelRequest: { watchId: 50 } })
  await step('at the compacted revision', 2, create({ startRevision: 8, watchId: 51, prevKv: true }))
  await step('negative', 2, create({ startRevision: -1, watchId: 52 }))
  const filtered = [[0], [1], [0, 1]].map((filters, at) => create({ watchId: 60 + at, filters }))
  await step('filters', 3, ...filtered)
  await client.call('etcdserverpb.KV/DeleteRange', { key: key('a') })
  await step('a delete', 3)
  await client.call('etcdserverpb.KV/Txn', {
    success: ['a', 'b', 'c'].map((each) => ({ requestPut: { key: key(each), value: key(each) } })),
  })
  await step('a transaction', 3)
  await step('all keys', 2, create({ key: key(''), rangeEnd: key('\0'), startRevision: 9, watchId: 70 }))
  await client.call('etcdserverpb.KV/DeleteRange', { key: key('a'), rangeEnd: key('d') })
  await step('a delete of many', 4)
  return story
}

test.skipIf(!hasEtcd)('watches are told what etcd tells', () => bothTell(watches))

type Message = Record<string, unknown>

/** A call whose client may leave, or names a deadline. */
function begin(
  client: TestClient,
  method: string,
  request: Message,
  metadata = new Metadata(),
): { readonly answer: Promise<string>; cancel(): void } {
  const [service = '', name = ''] = method.split('/')
  const { path, requestSerialize, responseDeserialize } = (protos[service] as ServiceDefinition)[
    name
  ] as MethodDefinition<object, object>
  let cancel = (): void => undefined
  const answer = new Promise<string>((resolve) => {
    const done = (error: ServiceError | null, response?: object): void =>
      resolve(error === null ? told(response) : `${error.code} ${error.details}`)
    const call = client.grpc.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      done,
    )
    cancel = () => call.cancel()
  })
  return { answer, cancel: () => cancel() }
}

/** A response without what differs between clusters. */
function told(response: unknown): string {
  return JSON.stringify(response, (name, value) => {
    if (['clusterId', 'memberId', 'raftTerm'].includes(name)) return undefined
    return value?.type === 'Buffer' ? Buffer.from(value.data).toString() : value
  })
}

const leases = [0x1234, 0x5678, 0x9abc] as const

async function withLeases(client: TestClient): Promise<void> {
  for (const id of leases) await client.call('etcdserverpb.Lease/LeaseGrant', { TTL: 600, ID: id })
}

/** Resolves once there are so many keys. */
function keys(client: TestClient, count: number): Promise<unknown> {
  const all = { key: key('\0'), rangeEnd: key('\0') }
  return until(async () => Number((await client.call('etcdserverpb.KV/Range', all))['count']) === count)
}

async function locks(client: TestClient): Promise<string[]> {
  await withLeases(client)
  const story: string[] = []
  const ask = async (method: string, request: Message): Promise<void> => {
    story.push(await begin(client, `v3lockpb.Lock/${method}`, request).answer)
  }
  const name = key('n')
  const [one, two] = leases
  await ask('Lock', { name, lease: one })
  await ask('Lock', { name, lease: one })
  await ask('Lock', { name, lease: 0x77 })
  await ask('Lock', { name, lease: -2 })
  const leaves = begin(client, 'v3lockpb.Lock/Lock', { name, lease: two })
  await keys(client, 2)
  leaves.cancel()
  story.push(await leaves.answer)
  await keys(client, 1)
  // The key that comes and goes shows that the server serves the call until its deadline.
  // The client has no clock of its own here, so that the answer is the server's.
  const deadline = new Metadata()
  deadline.set('grpc-timeout', '3S')
  const tires = begin(client, 'v3lockpb.Lock/Lock', { name, lease: two }, deadline)
  await keys(client, 2)
  expect(await tires.answer).toMatch(/^(2 context|4) deadline exceeded$/i)
  await keys(client, 1)
  const waits = begin(client, 'v3lockpb.Lock/Lock', { name, lease: two })
  await keys(client, 2)
  await ask('Unlock', { key: key('n/1234') })
  story.push(await waits.answer)
  await ask('Unlock', { key: key('n/nothing') })
  await ask('Unlock', {})
  await ask('Lock', { lease: one })
  return story
}

test.skipIf(!hasEtcd)('locks are given as etcd gives them, and a client that leaves loses its place', () =>
  bothTell(locks),
)

async function elections(client: TestClient): Promise<string[]> {
  await withLeases(client)
  const story: string[] = []
  const ask = async (method: string, request: Message): Promise<Message> => {
    const answer = await begin(client, `v3electionpb.Election/${method}`, request).answer
    story.push(answer)
    return answer.startsWith('{') ? JSON.parse(answer) : {}
  }
  const name = key('e')
  const [one, two, three] = leases
  const observed = observe(client, name)
  /** Observers are told apart from the answers. */
  const sees = async (count: number): Promise<void> => {
    await until(() => observed.length === count)
  }
  await ask('Leader', { name })
  await ask('Campaign', { name, lease: one, value: key('one') })
  await sees(1)
  const rev = Number(JSON.parse(story.at(-1)!).leader.rev)
  const leader = { name, key: key('e/1234'), rev, lease: one }
  await ask('Leader', { name })
  await ask('Campaign', { name, lease: one, value: key('two') })
  await sees(2)
  await ask('Campaign', { name, lease: one, value: key('two') })
  await ask('Campaign', { name, lease: 0x77, value: key('no') })
  const leaves = begin(client, 'v3electionpb.Election/Campaign', { name, lease: two, value: key('x') })
  await keys(client, 2)
  leaves.cancel()
  story.push(await leaves.answer)
  await keys(client, 1)
  await ask('Proclaim', { leader, value: key('three') })
  await sees(3)
  await ask('Proclaim', { value: key('three') })
  await ask('Proclaim', { leader: { ...leader, rev: 1 }, value: key('three') })
  await ask('Resign', {})
  await ask('Resign', { leader: { ...leader, rev: 1 } })
  const waits = begin(client, 'v3electionpb.Election/Campaign', { name, lease: two, value: key('next') })
  await keys(client, 2)
  await ask('Resign', { leader })
  story.push(await waits.answer)
  await sees(4)
  await client.call('etcdserverpb.KV/DeleteRange', { key: key('e/'), rangeEnd: key('e0') })
  await ask('Campaign', { name, lease: three, value: key('third') })
  await sees(5)
  return [...story, ...observed]
}

function observe(client: TestClient, name: Buffer): string[] {
  const { path, requestSerialize, responseDeserialize } = (
    protos['v3electionpb.Election'] as ServiceDefinition
  )['Observe'] as MethodDefinition<object, object>
  const observed: string[] = []
  const call = client.grpc.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { name })
  call.on('data', (response) => observed.push(told(response)))
  call.on('error', () => undefined)
  onTestFinished(() => call.cancel())
  return observed
}

test.skipIf(!hasEtcd)('elections are held as etcd holds them, and observers see every leader', () =>
  bothTell(elections),
)
