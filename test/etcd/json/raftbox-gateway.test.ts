/** A member of raftbox answers over JSON what a real etcd answers to the same requests. */
import { beforeAll, expect, test } from 'vitest'
import { startEtcd } from '../../../src/etcd/index.js'
import { hasEtcd, startRealEtcd } from '../real-etcd.js'
import { type Answer, answerOf, linesOf } from './support/asked.js'
import { base64, lease, posts } from './support/posts.js'

let real: string
let ours: string

beforeAll(async () => {
  if (!hasEtcd) return
  const [etcd, raftbox] = await Promise.all([startRealEtcd(), startEtcd({ nodes: 1 })])
  real = etcd.endpoints[0] ?? ''
  ours = new URL(raftbox.endpoints[0] ?? '').host
  for (const address of [real, ours])
    await answerOf(address, '/v3/lease/grant', { body: JSON.stringify({ ID: lease, TTL: 600 }) })
  return () => Promise.all([etcd.close(), raftbox.close()])
})

/** Fields that are a server's own: ids, terms, indexes, sizes and hashes. */
const own =
  /"(cluster_id|member_id|raft_term|raftTerm|raftIndex|raftAppliedIndex|dbSize|dbSizeInUse|leader|hash)":"?\d+"?/g
const shared = (body: string): string => body.replace(own, '"$1":"…"')

const told = ({ code, headers, body }: Answer) => ({
  code,
  type: headers['content-type'],
  allow: headers['allow'],
  cors: headers['access-control-allow-origin'],
  body: shared(body),
})

const others = ['/v3/cluster/member/list']

test.skipIf(!hasEtcd).each(posts.filter(([path]) => !others.includes(path)))(
  'POST %s %j',
  async (path, body) => {
    const asked = { body: typeof body === 'string' ? body : JSON.stringify(body) }
    expect(told(await answerOf(ours, path, asked))).toEqual(told(await answerOf(real, path, asked)))
  },
)

test.skipIf(!hasEtcd).each(['/version', '/health', '/nope'])('GET %s', async (path) => {
  expect(told(await answerOf(ours, path))).toEqual(told(await answerOf(real, path)))
})

test.skipIf(!hasEtcd)('watches', async () => {
  const key = base64('watched')
  const body = JSON.stringify({ create_request: { key, start_revision: 1, prev_kv: true } })
  for (const value of ['1', '2'])
    for (const address of [real, ours])
      await answerOf(address, '/v3/kv/put', { body: JSON.stringify({ key, value: base64(value) }) })
  const [expected, answered] = [real, ours].map((address) => linesOf(address, '/v3/watch', 2, { body }))
  expect((await answered)?.map(shared)).toEqual((await expected)?.map(shared))
})

test.skipIf(!hasEtcd)('alarms, and the health that they take away', async () => {
  const alarm = (action: string) => ({ body: JSON.stringify({ action, alarm: 'NOSPACE', memberID: 7 }) })
  for (const action of ['ACTIVATE', 'GET', 'DEACTIVATE', 'GET']) {
    const [expected, answered] = [
      await answerOf(real, '/v3/maintenance/alarm', alarm(action)),
      await answerOf(ours, '/v3/maintenance/alarm', alarm(action)),
    ]
    expect(told(answered), action).toEqual(told(expected))
    for (const path of ['/health', '/health?exclude=NOSPACE'])
      expect(told(await answerOf(ours, path)), path).toEqual(told(await answerOf(real, path)))
  }
})

test.skipIf(!hasEtcd)('dashboards of etcd find their metrics', async () => {
  const namesOf = async (address: string): Promise<Set<string>> => {
    const { body } = await answerOf(address, '/metrics')
    return new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name))
  }
  const [expected, answered] = [await namesOf(real), await namesOf(ours)]
  // The names of the dashboard in etcd's own documentation, and those of its alerts.
  const wanted = [
    ...['has_leader', 'is_leader', 'leader_changes_seen_total', 'proposals_applied_total'].map(
      (it) => `etcd_server_${it}`,
    ),
    ...['proposals_committed_total', 'proposals_failed_total', 'proposals_pending'].map(
      (it) => `etcd_server_${it}`,
    ),
    ...[
      'etcd_mvcc_db_total_size_in_bytes',
      'etcd_mvcc_db_total_size_in_use_in_bytes',
      'etcd_debugging_mvcc_keys_total',
    ],
    ...['etcd_disk_wal_fsync_duration_seconds', 'etcd_network_client_grpc_received_bytes_total'],
    ...[
      'etcd_network_client_grpc_sent_bytes_total',
      'grpc_server_started_total',
      'grpc_server_handled_total',
    ],
    ...[
      'grpc_server_msg_received_total',
      'grpc_server_msg_sent_total',
      'etcd_server_version',
      'etcd_server_id',
    ],
    ...['etcd_server_health_success', 'etcd_server_health_failures', 'etcd_debugging_mvcc_current_revision'],
    ...['process_resident_memory_bytes', 'process_cpu_seconds_total', 'process_start_time_seconds'],
  ]
  for (const name of wanted) {
    expect(expected.has(name), `${name} of etcd`).toBe(true)
    expect(answered.has(name), name).toBe(true)
  }
})
