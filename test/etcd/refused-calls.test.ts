/** Calls that are refused by their headers alone, in the words of etcd: a real one is asked as well, where there is one. */
import { once } from 'node:events'
import { connect } from 'node:http2'
import { Metadata } from '@grpc/grpc-js'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Etcd, startEtcd } from '../../src/etcd/index.js'
import { requestHeaders } from './lane-place.js'
import { hasEtcd, type RealEtcd, startRealEtcd } from './real-etcd.js'
import { TestClient } from './support.js'

let ours: Etcd
let real: RealEtcd | undefined

beforeAll(async () => {
  ours = await startEtcd({ nodes: 1 })
  real = hasEtcd ? await startRealEtcd() : undefined
  return async () => {
    await ours.close()
    await real?.close()
  }
})

/** How the server answers a call whose client has sent its headers, and nothing more. */
async function refusalOf(endpoint: string, path: string, headers: Record<string, string>): Promise<string> {
  const session = connect(endpoint)
  onTestFinished(() => session.destroy())
  const stream = session.request({ ...requestHeaders(path), ...headers }, { endStream: false })
  stream.on('error', () => undefined)
  const [answer] = await once(stream, 'response')
  return `${answer['grpc-status']} ${decodeURIComponent(answer['grpc-message'])}`
}

const noDecompressor = 'grpc: Decompressor is not installed for grpc-encoding'

test.each<readonly [path: string, headers: Record<string, string>, refusal: string]>([
  [
    '/etcdserverpb.Maintenance/Downgrade',
    {},
    '12 unknown method Downgrade for service etcdserverpb.Maintenance',
  ],
  ['/etcdserverpb.KV/Nope', {}, '12 unknown method Nope for service etcdserverpb.KV'],
  ['/etcdserverpb.KV/', {}, '12 unknown method  for service etcdserverpb.KV'],
  ['/etcdserverpb.K/Put', {}, '12 unknown service etcdserverpb.K'],
  ['/foo.Bar/Baz', {}, '12 unknown service foo.Bar'],
  ['/a/b/c', { hasleader: 'true' }, '12 unknown service a/b'],
  ...['KV/Put', 'KV/Range', 'Lease/LeaseGrant', 'Watch/Watch'].map(
    (name) => [`/etcdserverpb.${name}`, { 'grpc-encoding': 'gzip' }, `12 ${noDecompressor} "gzip"`] as const,
  ),
  ['/etcdserverpb.KV/Put', { hasleader: 'true', 'grpc-encoding': 'x' }, `12 ${noDecompressor} "x"`],
  ['/foo.Bar/Baz', { 'grpc-encoding': 'gzip' }, '12 unknown service foo.Bar'],
  ['/x', {}, '8 malformed method name: "/x"'],
  ['/', {}, '8 malformed method name: "/"'],
])('%s with %j', async (path, headers, refusal) => {
  expect(await refusalOf(ours.endpoints[0]!, path, headers)).toBe(refusal)
  if (real !== undefined) expect(await refusalOf(`http://${real.endpoints[0]}`, path, headers)).toBe(refusal)
})

test.each(['', 'identity'])('the encoding %j is none', async (encoding) => {
  const client = new TestClient(ours.endpoints[0]!)
  const metadata = new Metadata()
  metadata.set('grpc-encoding', encoding)
  const put = { key: Buffer.from('key'), value: Buffer.from('value') }
  expect(await client.call('etcdserverpb.KV/Put', put, metadata)).toMatchObject({ header: { raftTerm: '1' } })
})

test('a client that compresses is refused, whether gRPC’s server serves the method or not', async () => {
  const client = new TestClient(ours.endpoints[0]!, { 'grpc.default_compression_algorithm': 2 })
  const refused = { code: 12, details: `${noDecompressor} "gzip"` }
  await expect(client.put('key', 'v'.repeat(5000))).rejects.toMatchObject(refused)
  await expect(client.call('etcdserverpb.Lease/LeaseGrant', { TTL: 5 })).rejects.toMatchObject(refused)
})

test('a name that is as long as headers may be is told by its beginning', async () => {
  const refusal = await refusalOf(ours.endpoints[0]!, `/${'ä'.repeat(20_000)}/x`, {})
  expect(refusal).toMatch(/^12 unknown service .{900,1100}$/)
})
