/** A follower was down while entries were written: how long until it holds all that the leader does. */
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster, ClusterOptions, NodeStatus } from '../../src/cluster/index.js'
import { withCluster } from '../../src/load/index.js'
import { counted, decimal } from '../../src/terminal/index.js'
import { type Extent, type Group, higher, lower, type RunContext, type Sample } from '../suite/index.js'
import { wholeLog, writeEntries } from './scratch.js'

const entriesOf: Readonly<Record<Extent, number>> = { quick: 50_000, usual: 500_000, long: 2_000_000 }
/** How often the follower is looked at. */
const pollMs = 2

/** A short log is cut long before the follower comes back: it can only get the snapshot. */
const sources = { log: wholeLog, snapshot: { logBytesMax: 1 << 20, trailingBytes: 1 << 16 } } as const

export const catchUp: Group = {
  name: 'catch-up',
  cases: (extent) =>
    (['log', 'snapshot'] as const).map((source) => {
      const entries = entriesOf[extent]
      const options: ClusterOptions = { nodes: 3, requestTimeoutMs: 60_000, ...sources[source] }
      return {
        name: `${source}/${entries}`,
        title: `a follower gets ${decimal(entries)} entries from the ${source}`,
        parameters: { source, entries },
        run: (context: RunContext) =>
          withCluster(options, context.signal, (cluster) => run(cluster, source, entries, context)),
      }
    }),
}

async function run(
  cluster: Cluster,
  source: keyof typeof sources,
  entries: number,
  context: RunContext,
): Promise<Sample> {
  await cluster.put('warm', 'up')
  const follower = cluster.status().find(({ nodeId }) => nodeId !== cluster.leaderId)!.nodeId
  const before = await cluster.kill(follower).then(() => statusOf(cluster, follower))
  await writeEntries(cluster, entries, context)
  const goal = statusOf(cluster, cluster.leaderId).lastApplied
  context.tell('the follower is back')
  const startedMs = performance.now()
  await cluster.restart(follower)
  while (statusOf(cluster, follower).lastApplied < goal) {
    await delay(pollMs, undefined, { signal: context.signal })
  }
  const ms = performance.now() - startedMs
  const installed = statusOf(cluster, follower).snapshotsInstalled - before.snapshotsInstalled
  if (installed > 0 !== (source === 'snapshot')) {
    throw new Error(`the follower installed ${counted(installed, 'snapshot')}: it did not get the ${source}`)
  }
  return {
    figures: [
      lower('caughtUpMs', 'ms', ms),
      higher('entriesPerSecond', '1/s', ((goal - before.lastApplied) / ms) * 1000),
    ],
  }
}

function statusOf(cluster: Cluster, nodeId: number | undefined): NodeStatus {
  const status = cluster.status().find((node) => node.nodeId === nodeId)
  if (status === undefined) throw new Error('there is no leader')
  return status
}
