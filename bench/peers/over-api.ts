/**
 * Servers of etcd's API under the load of the Go program `etcdload`: raftbox's nodes, or etcd servers. Prints that program's
 * line, for raftbox with the lateness of the heartbeats within its window.
 *
 * All programs of a measurement run in the session of this one. Linux's autogroup shares the cores among sessions: with a
 * session for each program, three etcd servers would have three shares beside the one of the load.
 *
 *     node dist/bench/peers/over-api.js --servers raftbox --load PATH --nodes 3 --clients 1000 --size 128 --seconds 5
 */
import { parseArgs } from 'node:util'
import { startEtcd } from '../../src/etcd/index.js'
import { tuneV8, warmUpSecondsFor } from '../../src/load/index.js'
import { lineOf } from '../../src/terminal/index.js'
import { runChild, startEtcdServers, withFolder } from '../suite/index.js'

const { values: flags } = parseArgs({
  options: {
    servers: { type: 'string', default: 'raftbox' },
    load: { type: 'string', default: 'etcdload' },
    nodes: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1000' },
    size: { type: 'string', default: '128' },
    seconds: { type: 'string', default: '5' },
  },
})
const { load, clients, size, seconds } = flags
const nodes = Number(flags.nodes)
/** To connect, and to sort what was measured. */
const besideMeasuringMs = 20_000
/** Compiled code is warm from the first call on. */
const etcdWarmUpSeconds = 1

try {
  const line = await (flags.servers === 'etcd' ? overEtcd() : overRaftbox())
  process.stdout.write(`${line}\n`)
} catch (error) {
  process.stderr.write(`${lineOf(error)}\n`)
  process.exitCode = 1
}

function overEtcd(): Promise<string> {
  return withFolder('etcd', async (folder) => {
    await using servers = await startEtcdServers({ members: nodes, folder, group: 'ours' })
    return await runLoad(servers.endpoints, etcdWarmUpSeconds)
  })
}

async function overRaftbox(): Promise<string> {
  tuneV8()
  await using etcd = await startEtcd({ nodes })
  let heartbeatLateP999ms = 0
  const line = await runLoad(
    etcd.endpoints.map((url) => new URL(url).host),
    warmUpSecondsFor(Number(seconds)),
    // The load waits until this resolves: no heartbeat of the window is left out.
    async () => {
      const lateness = await etcd.cluster.takeHeartbeatLateness()
      heartbeatLateP999ms = lateness.percentile(99.9) / 1000
    },
  )
  const figures: object = JSON.parse(line)
  return JSON.stringify({ ...figures, peer: 'raftbox-etcd', heartbeatLateP999ms })
}

/** `atBounds` is called right before the window and right after it. Resolves to the line of the load. */
async function runLoad(
  endpoints: readonly string[],
  warmUpSeconds: number,
  atBounds?: () => Promise<void>,
): Promise<string> {
  const settings = { endpoints: endpoints.join(','), clients, size, seconds, warmup: warmUpSeconds }
  const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`)
  const stdout = await runChild(load, atBounds === undefined ? args : [...args, '--announce'], {
    env: process.env,
    group: 'ours',
    signal: new AbortController().signal,
    timeoutMs: (warmUpSeconds + Number(seconds)) * 1000 + besideMeasuringMs,
    ...(atBounds && {
      answer: async (line) => {
        if (line === 'window begins' || line === 'window ends') await atBounds()
      },
    }),
  })
  return stdout.trimEnd().split('\n').at(-1) ?? ''
}
