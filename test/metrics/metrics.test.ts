/** A scrape of a cluster tells the same as its status and its look. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import type { Cluster, ClusterLook, NodeStatus } from '../../src/cluster/index.js'
import { metrics, metricsOf } from '../../src/metrics/index.js'
import { brokenCluster, leads, statusOf, until, writes } from '../cluster/broken.js'
import { read, type Scrape } from './scrape.js'

async function scraped(cluster: Cluster): Promise<Scrape> {
  return read(await metricsOf(cluster).text())
}

interface Still {
  readonly told: Scrape
  readonly status: readonly NodeStatus[]
  readonly look: ClusterLook
}

/** A scrape, and what the cluster told before it and still told after it. */
async function still(cluster: Cluster): Promise<Still> {
  for (;;) {
    const [status, look] = [cluster.status(), cluster.look()]
    const told = await scraped(cluster)
    if (isDeepStrictEqual([status, look], [cluster.status(), cluster.look()])) return { told, status, look }
  }
}

/** The values of a cluster in which nothing goes on but heartbeats. */
const fields = {
  etcd_server_proposals_committed_total: 'commitIndex',
  etcd_server_proposals_applied_total: 'lastApplied',
  etcd_server_leader_changes_seen_total: 'leaderChanges',
  etcd_server_proposals_failed_total: 'proposalsFailed',
  raftbox_term: 'currentTerm',
  raftbox_log_first_index: 'firstIndex',
  raftbox_log_last_index: 'lastIndex',
  raftbox_log_flushed_index: 'flushedIndex',
  raftbox_snapshot_index: 'snapshotIndex',
  raftbox_log_bytes: 'logBytes',
  raftbox_elections_started_total: 'elections',
  raftbox_flushed_bytes_total: 'bytesFlushed',
  raftbox_commands_applied_total: 'commandsApplied',
  raftbox_snapshots_taken_total: 'snapshotsTaken',
  raftbox_snapshots_installed_total: 'snapshotsInstalled',
} as const

test('each value is that of the status, and what a leader knows of its followers that of the look', async () => {
  const { cluster, leader, others } = await brokenCluster({ nodes: 3 })
  await Promise.all(Array.from({ length: 50 }, (_, n) => cluster.put(`key ${n}`, 'v')))
  await cluster.snapshot(leader)
  await until(() => {
    const { nodes } = cluster.look()
    const { vitals, roundTrips } = nodes.find(({ nodeId }) => nodeId === leader) ?? {}
    const { lastIndex } = statusOf(cluster, leader)
    // What waits is told on ticks.
    const hasWork = nodes.some((node) => {
      const { uncommitted, unflushed, unapplied } = node.vitals?.queues ?? {}
      return [uncommitted, unflushed, unapplied].some((queue) => queue?.entries !== 0)
    })
    return (
      !hasWork &&
      vitals?.isLeaseHeld === true &&
      roundTrips?.size === 2 &&
      vitals.progress.every(({ matchIndex }) => matchIndex === lastIndex) &&
      cluster.status().every(({ lastApplied, leaderId }) => lastApplied === lastIndex && leaderId === leader)
    )
  })
  const { told, status, look } = await still(cluster)
  for (const node of status) {
    const { nodeId } = node
    for (const [name, field] of Object.entries(fields))
      expect(told.get(`${name}{node="${nodeId}"}`), `${name} of node ${nodeId}`).toBe(node[field])
    const leadsNow = nodeId === leader ? 1 : 0
    expect(told.get(`etcd_server_has_leader{node="${nodeId}"}`)).toBe(1)
    expect(told.get(`etcd_server_is_leader{node="${nodeId}"}`)).toBe(leadsNow)
    expect(told.get(`raftbox_lease_held{node="${nodeId}"}`)).toBe(leadsNow)
    expect(told.get(`raftbox_node_role{node="${nodeId}",role="leader"}`)).toBe(leadsNow)
    expect(told.get(`raftbox_node_role{node="${nodeId}",role="follower"}`)).toBe(1 - leadsNow)
    expect(told.get(`raftbox_node_state{node="${nodeId}",state="running"}`)).toBe(1)
    for (const queue of ['uncommitted', 'unflushed', 'unapplied'])
      expect(told.get(`raftbox_queue_entries{node="${nodeId}",queue="${queue}"}`)).toBe(0)
  }
  for (const to of others) {
    expect(told.get(`raftbox_follower_lag_entries{node="${leader}",to="${to}"}`)).toBe(0)
    expect(told.get(`raftbox_follower_in_flight_bytes{node="${leader}",to="${to}"}`)).toBe(0)
    const roundTrips = `etcd_network_peer_round_trip_time_seconds_count{node="${leader}",To="${to}"}`
    expect(told.get(roundTrips)).toBeGreaterThan(0)
  }
  expect(told.get('raftbox_snapshots_taken_total{node="1"}')).toBe(leader === 1 ? 1 : 0)
  expect(told.get('raftbox_calls_total{outcome="answered"}')).toBe(look.calls.answered.count)
})

test('a histogram is that of the look, in seconds, and its buckets hold all that took at most so long', async () => {
  const { cluster } = await brokenCluster({ nodes: 1 })
  for (let n = 0; n < 20; n++) await cluster.put('key', 'v')
  const { told, look } = await still(cluster)
  const { flushes } = look.nodes[0] ?? {}
  const name = 'etcd_disk_wal_fsync_duration_seconds'
  expect(told.get(`${name}_count{node="1"}`)).toBe(flushes?.count)
  expect(told.get(`${name}_sum{node="1"}`)).toBeCloseTo((flushes?.sumUs ?? 0) / 1e6)
  const buckets = [...told].filter(([sample]) => sample.startsWith(`${name}_bucket`))
  const totals = buckets.map(([, total]) => total)
  expect(totals).toEqual([...totals].sort((one, other) => one - other))
  expect(totals.at(-1)).toBe(flushes?.count)
  for (const percent of [1, 50, 99]) {
    const us = flushes?.percentile(percent) ?? 0
    const first = buckets.find(([, total]) => total >= (percent / 100) * (flushes?.count ?? 0))?.[0] ?? ''
    const le = Number(/le="(.+)"/.exec(first)?.[1])
    expect(us / 1e6).toBeLessThanOrEqual(le)
    expect(us / 1e6).toBeGreaterThanOrEqual(Math.max(le / 2, 0))
  }
})

test('a node that is frozen, and one that was killed, lead nobody, and nothing of them is asked', async () => {
  const { cluster, leader, others } = await brokenCluster({ nodes: 3 })
  const [other = 0] = others
  await cluster.pause(leader)
  await cluster.kill(other)
  const told = await scraped(cluster)
  for (const [node, state] of [
    [leader, 'paused'],
    [other, 'stopped'],
  ] as const) {
    expect(told.get(`raftbox_node_state{node="${node}",state="${state}"}`)).toBe(1)
    expect(told.get(`raftbox_node_state{node="${node}",state="running"}`)).toBe(0)
    expect(told.get(`etcd_server_has_leader{node="${node}"}`)).toBe(0)
    expect(told.get(`etcd_server_is_leader{node="${node}"}`)).toBe(0)
    expect(told.get(`raftbox_lease_held{node="${node}"}`)).toBe(0)
    expect(told.has(`raftbox_queue_entries{node="${node}",queue="unapplied"}`)).toBe(false)
    expect(told.get(`raftbox_term{node="${node}"}`)).toBe(statusOf(cluster, node).currentTerm)
  }
  expect([...told.keys()].filter((sample) => sample.startsWith('raftbox_follower'))).toEqual([])
  expect(told.get('raftbox_faults_standing{type="pause"}')).toBe(1)
  expect(told.get('raftbox_faults_standing{type="cut"}')).toBe(0)
})

test('counters never go back, also when nodes are killed and come back', async () => {
  const { cluster } = await brokenCluster({ nodes: 3, logBytesMax: 5000, trailingBytes: 0 })
  const told = metricsOf(cluster)
  let before: Scrape = new Map()
  const counters = new Set(metrics.flatMap(({ name, type }) => (type === 'counter' ? name : [])))
  const looks = async (): Promise<void> => {
    const now = read(await told.text())
    for (const [sample, value] of before) {
      const [name = ''] = sample.split('{')
      const isCounter = counters.has(name) || /_(?:bucket|count|sum)$/.test(name)
      if (isCounter) expect(now.get(sample), sample).toBeGreaterThanOrEqual(value)
    }
    before = now
  }
  for (const node of [1, 2, 3]) {
    for (let n = 0; n < 20; n++) await writes(cluster, `key ${n}`)
    await looks()
    await cluster.kill(node)
    await looks()
    await cluster.restart(node)
    await looks()
    await leads(cluster)
    await writes(cluster, 'last')
    await looks()
  }
  expect(before.get('etcd_server_leader_changes_seen_total{node="1"}')).toBeGreaterThan(1)
})

test('what others left out is told by what it was', async () => {
  const { cluster } = await brokenCluster({ nodes: 1 })
  const traces = { calls: 9, callsDropped: 5, spansSent: 8, spansDropped: 6 }
  const traced = {
    status: () => cluster.status(),
    look: () => ({ ...cluster.look(), calls: { ...cluster.look().calls, traces } }),
    faults: [],
  }
  const told = read(await metricsOf(traced, () => ({ frames: 3, lines: 4 })).text())
  expect(told.get('raftbox_dropped_total{what="frames"}')).toBe(3)
  expect(told.get('raftbox_dropped_total{what="lines"}')).toBe(4)
  expect(told.get('raftbox_dropped_total{what="spans"}')).toBe(6)
  expect(told.get('raftbox_dropped_total{what="traces"}')).toBe(5)
  expect((await scraped(cluster)).has('raftbox_dropped_total{what="spans"}'), 'no traces').toBe(false)
})

const promtool = '/usr/bin/promtool'

test.skipIf(!existsSync(promtool))(
  'Prometheus itself finds nothing to better but a name of etcd',
  async () => {
    const { cluster } = await brokenCluster({ nodes: 3 })
    const input = await metricsOf(cluster).text()
    const { stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input, encoding: 'utf8' })
    expect(`${stdout}${stderr}`.trim()).toBe(
      'etcd_server_snapshot_apply_in_progress_total non-counter metrics should not have "_total" suffix',
    )
  },
)
