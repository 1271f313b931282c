/** The gateway in front of a real etcd's gRPC says what that etcd's own gateway says: body, status and type. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasEtcd, type RealEtcd, startRealEtcd } from '../real-etcd.js'
import { type Asked, answerOf, linesOf } from './support/asked.js'
import { base64, key, lease, posts, still } from './support/posts.js'
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
    ...['{"limit":1.0}', '{"limit":1e0}', '{"limit":"01"}', '{"limit":{"":"5"}}', '{"sort_order":1.0}'],
    ...['{"key":[256]}', '{"key":[97.0]}', '{"key":["97"]}', '{"limit":00000000000000001}'],
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
