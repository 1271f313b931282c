/** A real Prometheus scrapes a cluster, and answers questions about it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { onTestFinished, test } from 'vitest'
import { leads, writes } from '../cluster/broken.js'
import { temporaryFolder } from '../cluster/support.js'
import { Served } from '../server/served.js'

const program = '/usr/bin/prometheus'

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A Prometheus that scrapes a page. Asks it for the values of a query, which are none until it has scraped. */
async function prometheusOf(target: string): Promise<(query: string) => Promise<number[]>> {
  const folder = temporaryFolder()
  const config = join(folder, 'prometheus.yml')
  const scrape = { job_name: 'raftbox', scrape_interval: '200ms', static_configs: [{ targets: [target] }] }
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ scrape_configs: [scrape] }))
  const port = await freePort()
  const child = spawn(
    program,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  onTestFinished(async () => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
  })
  return async (query) => {
    const url = `http://127.0.0.1:${port}/api/v1/query?${new URLSearchParams({ query })}`
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok !== true) return []
    const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } }
    return data.result.map(({ value }) => Number(value[1]))
  }
}

test.skipIf(!existsSync(program))(
  'Prometheus scrapes a cluster, and knows who leads, who led, and how long writes took',
  { timeout: 120_000 },
  async () => {
    const { cluster, server } = await Served.start({ nodes: 3 })
    const ask = await prometheusOf(`127.0.0.1:${server.port}`)
    const answer = async (query: string, fits: (values: readonly number[]) => boolean): Promise<void> => {
      while (!fits(await ask(query))) await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const leader = await leads(cluster)
    await writes(cluster, 'a')
    await answer('up{job="raftbox"}', ([up]) => up === 1)
    await answer('sum(etcd_server_has_leader)', ([sum]) => sum === 3)
    await answer(`etcd_server_is_leader{node="${leader}"}`, ([isLeader]) => isLeader === 1)
    await cluster.kill('leader')
    await leads(cluster, leader)
    await writes(cluster, 'b')
    await answer('max(etcd_server_leader_changes_seen_total) >= 2', ({ length }) => length === 1)
    await answer(`raftbox_node_state{node="${leader}",state="stopped"}`, ([state]) => state === 1)
    const slowest = 'histogram_quantile(1, sum(etcd_disk_wal_fsync_duration_seconds_bucket) by (le))'
    await answer(slowest, ([seconds = 0]) => seconds > 0 && Number.isFinite(seconds))
    await answer('max(etcd_network_peer_round_trip_time_seconds_count) > 0', ({ length }) => length === 1)
  },
)
