/** A durable cluster of threads under load, and one CPU profile of each thread of it. */
import type { Profiler } from 'node:inspector'
import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster } from '../../src/cluster/index.js'
import { type Load, putCalls, underLoad, warmUpSecondsFor, withCluster } from '../../src/load/index.js'
import { Failed } from '../../src/terminal/index.js'
import { ThreadProfiler } from './thread-profiler.js'

export interface ThreadProfile {
  /** `node 1`, or `main` for the thread of the clients. */
  readonly thread: string
  readonly role: string
  readonly profile: Profiler.Profile
}

export interface ThreadsRun {
  readonly clients: number
  readonly seconds: number
  readonly commitsPerSecond: number
  readonly threads: readonly ThreadProfile[]
}

const nodes = 3
const size = 128

export async function profileThreads(
  clients: number,
  seconds: number,
  signal: AbortSignal,
): Promise<ThreadsRun> {
  const profiler = new ThreadProfiler()
  await profiler.open()
  try {
    return await withCluster({ nodes, durability: 'flush', host: 'threads' }, signal, (cluster) => {
      const options = { clients, nextCall: putCalls(cluster, { size, batch: 1 }), signal }
      return underLoad(cluster, options, (load) => profileUnder(load, cluster, profiler, clients, seconds))
    })
  } finally {
    profiler.close()
  }
}

async function profileUnder(
  { tally, signal }: Load,
  cluster: Cluster,
  profiler: ThreadProfiler,
  clients: number,
  seconds: number,
): Promise<ThreadsRun> {
  // Code is compiled and optimized meanwhile, which is no part of what is looked for.
  await delay(warmUpSecondsFor(seconds) * 1000, undefined, { signal })
  const rolesBefore = rolesOf(cluster)
  await profiler.start()
  tally.open()
  const startedMs = performance.now()
  await delay(seconds * 1000, undefined, { signal })
  tally.close()
  const ms = performance.now() - startedMs
  const threads = namedThreads(await profiler.stop(), rolesBefore, rolesOf(cluster))
  return { clients, seconds, commitsPerSecond: (tally.commands / ms) * 1000, threads }
}

/** A role that changed while it was profiled is told as both: such a page shows a mixture. */
function namedThreads(
  profiles: ReadonlyMap<string, Profiler.Profile>,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ThreadProfile[] {
  const names = [...before.keys(), 'main']
  return names.map((thread) => {
    const profile = profiles.get(thread)
    if (profile === undefined) throw new Failed(`there is no profile of ${thread}`)
    if (thread === 'main') return { thread, role: 'clients', profile }
    const [first = '', last = ''] = [before.get(thread), after.get(thread)]
    return { thread, role: first === last ? first : `${first}, then ${last}`, profile }
  })
}

function rolesOf(cluster: Cluster): Map<string, string> {
  return new Map(cluster.status().map(({ nodeId, role }) => [`node ${nodeId}`, role]))
}
