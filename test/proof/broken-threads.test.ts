/** Each fault on real threads under load: while it stands and afterwards, properties, history and ledger hold. */
import { expect, test } from 'vitest'
import type { Cluster, FaultHandle } from '../../src/cluster/index.js'
import { RandomCalls } from '../../src/proof/index.js'
import { Random } from '../../src/raft/index.js'
import { until } from '../cluster/broken.js'
import { startedCluster, temporaryFolder } from '../cluster/support.js'
import { WatchedThreads } from './watched-threads.js'

const shape = { keys: 12, valueBytesMax: 60, batchMax: 4, readShare: 0.4 }
const answersBetween = 100
const forMs = 400

/** Every fault, at the leader where it has a place. */
const faults: Record<string, (cluster: Cluster) => Promise<FaultHandle | unknown>> = {
  cut: (cluster) => cluster.cut('leader', 'follower', { forMs }),
  'cut of what the leader hears': (cluster) => cluster.cut('*', 'leader', { oneWay: true, forMs }),
  'cut of what the leader sends': (cluster) => cluster.cut('leader', '*', { oneWay: true, forMs }),
  'cut of the answers to clients': (cluster) => cluster.cut('leader', 'clients', { oneWay: true, forMs }),
  'cut of requests': (cluster) => cluster.cut('clients', 'leader', { oneWay: true, forMs }),
  delay: (cluster) => cluster.delay('*', '*', 15, { jitterMs: 30, forMs }),
  'delay of clients': (cluster) => cluster.delay('*', 'clients', 15, { jitterMs: 30, forMs }),
  drop: (cluster) => cluster.drop('*', '*', 0.2, { forMs }),
  duplicate: (cluster) => cluster.duplicate('*', '*', 0.5, { forMs }),
  reorder: (cluster) => cluster.reorder('*', '*', 0.2, { forMs }),
  throttle: (cluster) => cluster.throttle('*', '*', 50_000, { forMs }),
  partition: (cluster) => cluster.partition(['leader', 'followers'], { forMs }),
  isolate: (cluster) => cluster.isolate('follower', { forMs }),
  slowDisk: (cluster) => cluster.slowDisk('all', 10, { forMs }),
  stallDisk: (cluster) => cluster.stallDisk('leader', { forMs }),
  failDisk: (cluster) => cluster.failDisk('leader', { forMs }),
  fullDisk: (cluster) => cluster.fullDisk('leader', { bytesLeft: 2000, forMs }),
  losePower: (cluster) => cluster.losePower('all', { forMs }),
  kill: (cluster) => cluster.kill('all', { forMs }),
  pause: (cluster) => cluster.pause('leader', { forMs }),
  skew: (cluster) => cluster.skew('leader', { offsetMs: 10, drift: 0.02 }, { forMs }),
}

test.each(Object.entries(faults))(
  '%s stands and is healed under load, and all promises are kept',
  async (_, begin) => {
    const dir = temporaryFolder()
    const cluster = await startedCluster({ dir, heartbeatIntervalMs: 30, requestTimeoutMs: 700 })
    const watched = new WatchedThreads(cluster)
    let isOver = false
    const clients = Array.from({ length: 8 }, (_, client) =>
      watched.runClient(new RandomCalls(new Random(client), shape, client), () => isOver),
    )
    const answers = async (): Promise<void> => {
      const goal = watched.answered + answersBetween
      await until(() => watched.answered >= goal)
    }
    await answers()
    await until(() => cluster.leaderId !== undefined)
    await begin(cluster)
    await until(() => cluster.faults.length === 0)
    await until(() => cluster.status().every(({ state }) => state === 'running'))
    await answers()
    isOver = true
    await Promise.all(clients)
    expect(await watched.ended(dir)).toEqual([])
    // A run in which nothing happened proves nothing.
    expect(watched.counts.applied + watched.counts.read).toBeGreaterThan(answersBetween)
  },
)
