/** A member tells its own health and metrics over HTTP, and no other node's. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Etcd } from '../../../src/etcd/index.js'
import { read, type Scrape } from '../../metrics/scrape.js'
import { startedEtcd, TestClient, until } from '../support.js'
import { answerOf, linesOf } from './support/asked.js'

const hostOf = (etcd: Etcd, nodeId: number): string => new URL(etcd.endpointOf(nodeId) ?? '').host

async function scraped(address: string): Promise<Scrape> {
  return read((await answerOf(address, '/metrics')).body)
}

const put = { body: '{"key":"Zm9v","value":"YmFy"}' }

test('calls are counted by method and code, whichever way they came', async () => {
  const etcd = await startedEtcd({ nodes: 1 })
  const address = hostOf(etcd, 1)
  const labels = (method: string) =>
    `grpc_type="unary",grpc_service="etcdserverpb.KV",grpc_method="${method}"`
  await answerOf(address, '/v3/kv/put', put)
  await new TestClient(`http://${address}`).put('bar', 'baz')
  await answerOf(address, '/v3/kv/range', { body: '{"key":""}' })
  await linesOf(address, '/v3/watch', 2, { body: '{"create_request":{"key":"Zm9v","start_revision":1}}' })
  const told = await until(async () => {
    const now = await scraped(address)
    const watches = [...now].filter(([name]) =>
      name.startsWith('grpc_server_handled_total{grpc_type="bidi_stream"'),
    )
    // The end of a stream comes a little after its client has gone.
    return watches.some(([name, value]) => name.includes('grpc_code="Canceled"') && value === 1)
      ? now
      : undefined
  })
  expect(told.get(`grpc_server_started_total{${labels('Put')}}`)).toBe(2)
  expect(told.get(`grpc_server_handled_total{${labels('Put')},grpc_code="OK"}`)).toBe(2)
  expect(told.get(`grpc_server_handled_total{${labels('Range')},grpc_code="OK"}`)).toBe(0)
  expect(told.get(`grpc_server_handled_total{${labels('Range')},grpc_code="InvalidArgument"}`)).toBe(1)
  expect(told.get(`grpc_server_msg_received_total{${labels('Put')}}`)).toBe(2)
  expect(told.get(`grpc_server_msg_sent_total{${labels('Put')}}`)).toBe(2)
  const watch = 'grpc_type="bidi_stream",grpc_service="etcdserverpb.Watch",grpc_method="Watch"'
  expect(told.get(`grpc_server_started_total{${watch}}`)).toBe(1)
  expect(told.get(`grpc_server_msg_sent_total{${watch}}`)).toBe(2)
  expect(told.get('etcd_network_client_grpc_received_bytes_total')).toBeGreaterThanOrEqual(20)
  expect(told.get('etcd_network_client_grpc_sent_bytes_total')).toBeGreaterThanOrEqual(20)
  expect(told.get('etcd_debugging_mvcc_keys_total')).toBe(2)
  expect(told.get('etcd_debugging_mvcc_current_revision')).toBe(3)
  expect(told.get('etcd_mvcc_db_total_size_in_bytes')).toBeGreaterThan(0)
})

test('a member tells of itself alone', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const leaderId = etcd.cluster.leaderId ?? 0
  for (const nodeId of [1, 2, 3]) {
    const told = await until(async () => {
      const now = await scraped(hostOf(etcd, nodeId))
      return now.get('etcd_server_has_leader') === 1 ? now : undefined
    })
    expect(told.get('etcd_server_is_leader')).toBe(nodeId === leaderId ? 1 : 0)
    expect(told.get(`etcd_server_id{server_id="${nodeId}"}`)).toBe(1)
    expect([...told.keys()].filter((name) => name.includes('node="'))).toEqual([])
  }
})

const promtool = '/usr/bin/promtool'

test.skipIf(!existsSync(promtool))('Prometheus finds nothing to better but names of etcd', async () => {
  const etcd = await startedEtcd({ nodes: 1 })
  const { body: input } = await answerOf(hostOf(etcd, 1), '/metrics')
  const { stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input, encoding: 'utf8' })
  expect(`${stdout}${stderr}`.trim().split('\n')).toEqual([
    'etcd_debugging_mvcc_keys_total non-counter metrics should not have "_total" suffix',
    'etcd_debugging_mvcc_slow_watcher_total non-counter metrics should not have "_total" suffix',
    'etcd_debugging_mvcc_watch_stream_total non-counter metrics should not have "_total" suffix',
    'etcd_debugging_mvcc_watcher_total non-counter metrics should not have "_total" suffix',
    'etcd_server_health_failures counter metrics should have "_total" suffix',
    'etcd_server_health_success counter metrics should have "_total" suffix',
    'etcd_server_snapshot_apply_in_progress_total non-counter metrics should not have "_total" suffix',
  ])
})

test('without a leader a member is not healthy, and ends the streams that ask for one', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const address = hostOf(etcd, 1)
  await until(async () => (await answerOf(address, '/health')).code === 200)
  const asking = { body: '{"create_request":{"key":"Zm9v"}}', headers: { 'Grpc-Metadata-hasleader': 'true' } }
  const stream = answerOf(address, '/v3/watch', asking)
  await etcd.isolate(1)
  expect(
    await until(async () => {
      const { code, body } = await answerOf(address, '/health')
      return code === 503 ? body : undefined
    }),
  ).toBe('{"health":"false"}\n')
  const [created, error] = (await stream).body.split('\n')
  expect(created).toContain('"created":true')
  expect(error).toBe(
    '{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"Service Unavailable"}}',
  )
  expect(await answerOf(address, '/v3/kv/put', { ...put, headers: asking.headers })).toMatchObject({
    code: 503,
    body: '{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}',
  })
  await etcd.heal()
  await until(async () => (await answerOf(address, '/health')).code === 200)
  expect((await answerOf(address, '/v3/kv/put', { ...put, headers: asking.headers })).code).toBe(200)
})
