/** The gateway in front of a real etcd's gRPC says what that etcd's own gateway says: body, status and type. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasEtcd, type RealEtcd, startRealEtcd } from '../real-etcd.js'
import { type Asked, answerOf, linesOf } from './support/asked.js'
import { type EtcdProxy, proxyOf } from './support/proxy.js'
import { type ServedGateway, serveGateway } from './support/served.js'

let etcd: RealEtcd
let proxy: EtcdProxy
let ours: ServedGateway
let real: string

beforeAll(async () => {
  if (!hasEtcd) return
  etcd = await startRealEtcd()
  real = etcd.endpoints[0]!
  proxy = proxyOf(real)
  ours = await serveGateway({ services: proxy.services })
  await answerOf(real, '/v3/lease/grant', { body: JSON.stringify({ ID: lease, TTL: 600 }) })
})
afterAll(async () => {
  if (!hasEtcd) return
  await ours[Symbol.asyncDispose]()
  proxy[Symbol.dispose]()
  await etcd.close()
})

/** Revisions, terms and sizes go up from one request to the next. */
const still = (body: string): string =>
  body.replace(
    /"(revision|raft_term|raftIndex|raftAppliedIndex|dbSize|dbSizeInUse|mod_revision|version)":"\d+"/g,
    '"$1":"…"',
  )

async function bothAnswer(path: string, asked: Asked): Promise<void> {
  const [expected, answered] = [await answerOf(real, path, asked), await answerOf(ours.address, path, asked)]
  const what = ({ code, headers, body }: typeof expected) => ({
    code,
    type: headers['content-type'],
    allow: headers['allow'],
    cors: headers['access-control-allow-origin'],
    metadata: code === 200 ? headers['grpc-metadata-content-type'] : undefined,
    body: still(body),
  })
  expect(what(answered)).toEqual(what(expected))
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const key = base64('foo')
/** Longer than a JavaScript number. */
const lease = '7587868094239438091'
const every = { key: 'AA==', range_end: 'AA==' }

const posts: readonly (readonly [path: string, body: object | string])[] = [
  ['/v3/kv/put', { key, value: base64('bar') }],
  ['/v3/kv/put', { key, value: base64('bar'), prevKv: true }],
  ['/v3/kv/put', { key: base64('absent'), ignore_value: true }],
  ['/v3/kv/put', { key, lease: '5' }],
  ['/v3/kv/range', { key }],
  ['/v3/kv/range', { ...every, count_only: true, serializable: true }],
  ['/v3/kv/range', { ...every, sort_order: 'DESCEND', sort_target: 'VERSION', limit: 1, keys_only: true }],
  ['/v3/kv/range', { key, range_end: '' }],
  ['/v3/kv/range', { key, revision: 999 }],
  ['/v3/kv/range', ''],
  ['/v3/kv/range', 'null'],
  ['/v3/kv/range', `{"key":"${key}"}{"key":"eA=="}`],
  ['/v3/kv/range', `{"key":"${key}"} and more`],
  ['/v3/kv/range', { key, unknown: { a: [1, 'x'] }, limit: null }],
  ['/v3/kv/range', { key, sort_order: 'NOPE' }],
  ['/v3/kv/range', { key, sort_order: 9 }],
  ['/v3/kv/range', '{"key":"Zm9v\\n"}'],
  ['/v3beta/kv/range', { key }],
  [
    '/v3/kv/txn',
    { compare: [{ key, target: 'CREATE', create_revision: 0 }], failure: [{ request_range: { key } }] },
  ],
  [
    '/v3/kv/txn',
    {
      compare: [{ key, target: 'VERSION', version: 0, result: 'GREATER' }],
      success: [{ requestPut: { key } }],
    },
  ],
  ['/v3/kv/txn', { success: [{ request_txn: { success: [{ request_range: { key } }] } }] }],
  ['/v3/kv/txn', { success: [{ request_put: null }] }],
  ['/v3/kv/txn', { success: [{ request_put: { key } }, { request_put: { key } }] }],
  ['/v3/kv/txn', { success: null, failure: [] }],
  ['/v3/kv/deleterange', { key: base64('absent'), prev_kv: true }],
  ['/v3/kv/compaction', { revision: 99 }],
  ['/v3/lease/grant', { TTL: 600, ID: lease }],
  ['/v3/lease/grant', '{"TTL":600,"ID":7587868094239438091}'],
  ['/v3/lease/timetolive', { ID: '1' }],
  ['/v3/kv/lease/timetolive', { ID: '1', keys: true }],
  ['/v3/lease/leases', {}],
  ['/v3/kv/lease/leases', {}],
  ['/v3/lease/keepalive', { ID: lease }],
  ['/v3/lease/keepalive', '{"ID":"7587868094239438091"}{"ID":"1"} {"ID":2}'],
  ['/v3/lease/keepalive', '{"ID":1}xx'],
  ['/v3/lease/revoke', { ID: 1 }],
  ['/v3/kv/lease/revoke', { ID: 1 }],
  ['/v3/cluster/member/list', {}],
  ['/v3/cluster/member/add', {}],
  ['/v3/cluster/member/remove', { ID: 5 }],
  ['/v3/cluster/member/update', { ID: 5 }],
  ['/v3/cluster/member/promote', { ID: '18446744073709551615' }],
  ['/v3/maintenance/alarm', {}],
  ['/v3/maintenance/status', {}],
  ['/v3/maintenance/defragment', {}],
  ['/v3/maintenance/hash', {}],
  ['/v3/maintenance/transfer-leadership', { targetID: 5 }],
  ['/v3/auth/authenticate', { name: 'root', password: 'x' }],
  ['/v3/auth/enable', {}],
  ['/v3/auth/disable', {}],
  ['/v3/auth/user/add', {}],
  ['/v3/auth/user/get', { name: 'nobody' }],
  ['/v3/auth/user/list', {}],
  ['/v3/auth/user/delete', { name: 'nobody' }],
  ['/v3/auth/user/changepw', { name: 'nobody' }],
  ['/v3/auth/user/grant', { user: 'nobody', role: 'none' }],
  ['/v3/auth/user/revoke', { name: 'nobody', role: 'none' }],
  ['/v3/auth/role/add', {}],
  ['/v3/auth/role/get', { role: 'none' }],
  ['/v3/auth/role/list', {}],
  ['/v3/auth/role/delete', { role: 'none' }],
  ['/v3/auth/role/grant', { name: 'none', perm: { permType: 'READWRITE', key } }],
  ['/v3/auth/role/revoke', { role: 'none', key }],
  ['/v3/lock/lock', { name: base64('lock'), lease: lease }],
  ['/v3/lock/unlock', { key: base64('lock/694d72343d4d8a0b') }],
  ['/v3/lock/unlock', {}],
  ['/v3/election/campaign', { name: base64('vote'), lease: lease, value: key }],
  ['/v3/election/leader', { name: base64('vote') }],
  ['/v3/election/leader', { name: base64('absent') }],
  ['/v3/election/proclaim', {}],
  ['/v3/election/resign', {}],
  ['/v3/kv/nope', {}],
  ['/v3/kv/range/', {}],
  ['/v3/', {}],
  ['/v3alpha/kv/range', { key }],
  ['/version', {}],
  ['/health', {}],
]

test.skipIf(!hasEtcd).each(posts)('POST %s %j', async (path, body) => {
  await bothAnswer(path, { body: typeof body === 'string' ? body : JSON.stringify(body) })
})

test.skipIf(!hasEtcd).each(['/v3/kv/range', '/version', '/health', '/', '/nope'])('GET %s', (path) =>
  bothAnswer(path, {}),
)

test.skipIf(!hasEtcd).each(['PUT', 'DELETE', 'HEAD', 'OPTIONS'])('%s', async (method) => {
  await bothAnswer('/v3/kv/range', { method })
  await bothAnswer('/health', { method })
})

test.skipIf(!hasEtcd)('headers become metadata and a deadline', async () => {
  const body = JSON.stringify({ key })
  await bothAnswer('/v3/kv/range', { body, headers: { 'Grpc-Metadata-hasleader': 'true' } })
  await bothAnswer('/v3/kv/range', { body, headers: { authorization: 'nonsense' } })
  await bothAnswer('/v3/kv/range', { body, headers: { 'Grpc-Timeout': '1n' } })
  await bothAnswer('/v3/kv/range', { body, headers: { 'Grpc-Timeout': 'xx' } })
})

test.skipIf(!hasEtcd)('alarms', async () => {
  const alarm = (action: string) => ({ body: JSON.stringify({ action, alarm: 'NOSPACE', memberID: 7 }) })
  await bothAnswer('/v3/maintenance/alarm', alarm('ACTIVATE'))
  await bothAnswer('/v3/maintenance/alarm', alarm('GET'))
  await answerOf(ours.address, '/v3/maintenance/alarm', alarm('DEACTIVATE'))
  await bothAnswer('/v3/maintenance/alarm', alarm('GET'))
})

test.skipIf(!hasEtcd)('requests that are too large', async () => {
  for (const bytes of [1.6e6, 2.2e6]) {
    const body = JSON.stringify({ key, value: Buffer.alloc(bytes).toString('base64') })
    await bothAnswer('/v3/kv/put', { body })
  }
})

/** JSON that is not what the message needs is refused alike; the words are Go's there, and our own here. */
test
  .skipIf(!hasEtcd)
  .each([
    ...['{', 'xx', '[]', '"x"', '12', '{"key":"!!!"}', '{"key":"Zm9"}', '{"key":"Zm-_"}', '{"key":5}'],
    ...['{"limit":5.5}', '{"limit":"x"}', '{"limit":""}', '{"limit":99999999999999999999}', '{"limit":true}'],
    ...['{"serializable":"true"}', '{"serializable":1}', '{"sort_order":1.5}', '{"sort_order":{}}'],
  ])('%s is refused', async (body) => {
  for (const path of ['/v3/kv/range', '/v3/watch']) {
    const sent =
      path === '/v3/watch' && body.startsWith('{"') ? `{"create_request":{"watch_id":${body}}}` : body
    const [expected, answered] = [
      await answerOf(real, path, { body: sent }),
      await answerOf(ours.address, path, { body: sent }),
    ]
    const { code } = JSON.parse(expected.body) as { code: number }
    expect(JSON.parse(answered.body)).toMatchObject({ code })
    expect(answered.code).toBe(expected.code)
  }
})

test.skipIf(!hasEtcd)('watches', async () => {
  const create = (more: object) => JSON.stringify({ create_request: { key, ...more } })
  const bodies: readonly (readonly [body: string, lines: number])[] = [
    [create({}), 1],
    [`${create({ start_revision: 1, filters: ['NODELETE'] })}`, 2],
    [`${create({})}{"progress_request":{}}`, 2],
    [`${create({})} {"cancel_request":{"watch_id":0}}`, 2],
    [create({ start_revision: -1 }), 1],
  ]
  for (const [body, lines] of bodies) {
    const [expected, answered] = [
      await linesOf(real, '/v3/watch', lines, { body }),
      await linesOf(ours.address, '/v3/watch', lines, { body }),
    ]
    expect(answered.map(still)).toEqual(expected.map(still))
  }
})

test.skipIf(!hasEtcd)('a snapshot and an observed election come in lines', async () => {
  const [name, count] = [base64('vote'), 1]
  const observed = { body: JSON.stringify({ name }) }
  expect((await linesOf(ours.address, '/v3/election/observe', count, observed)).map(still)).toEqual(
    (await linesOf(real, '/v3/election/observe', count, observed)).map(still),
  )
  const { code, body } = await answerOf(ours.address, '/v3/maintenance/snapshot', { body: '{}' })
  expect(code).toBe(200)
  for (const line of body.trim().split('\n')) expect(JSON.parse(line)).toEqual({ result: expect.anything() })
})
