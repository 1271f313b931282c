/**
 * raftbox over etcd's API: starts a cluster and runs the load of the etcd servers against it. Prints that program's line,
 * with the lateness of the heartbeats.
 *
 *     node dist/bench/peers/over-api.js --load PATH --nodes 3 --clients 1000 --size 128 --seconds 5
 */
import { parseArgs } from 'node:util'
import { startEtcd } from '../../src/etcd/index.js'
import { tuneV8, warmUpSecondsFor } from '../../src/load/index.js'
import { runChild } from '../suite/index.js'

const { values: flags } = parseArgs({
  options: {
    load: { type: 'string', default: 'etcdload' },
    nodes: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1000' },
    size: { type: 'string', default: '128' },
    seconds: { type: 'string', default: '5' },
  },
})
const { load, nodes, clients, size, seconds } = flags
/** To connect, and to sort what was measured. */
const besideMeasuringMs = 20_000

tuneV8()
const warmUpSeconds = warmUpSecondsFor(Number(seconds))
await using etcd = await startEtcd({ nodes: Number(nodes) })
const endpoints = etcd.endpoints.map((url) => new URL(url).host)
const settings = { endpoints: endpoints.join(','), clients, size, seconds, warmup: warmUpSeconds }
const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`)
setTimeout(() => void etcd.cluster.takeHeartbeatLateness(), warmUpSeconds * 1000)
const line = await runChild(load, args, {
  env: process.env,
  signal: new AbortController().signal,
  timeoutMs: (warmUpSeconds + Number(seconds)) * 1000 + besideMeasuringMs,
})
const lateness = await etcd.cluster.takeHeartbeatLateness()
const figures: object = JSON.parse(line)
const heartbeatLateP999ms = lateness.percentile(99.9) / 1000
process.stdout.write(`${JSON.stringify({ ...figures, peer: 'raftbox-etcd', heartbeatLateP999ms })}\n`)
