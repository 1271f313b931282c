/** What a long log costs: to start with it, and to commit behind it, whole or cut as it is by default. */
import { performance } from 'node:perf_hooks'
import type { ClusterOptions } from '../../src/cluster/index.js'
import { withCluster } from '../../src/load/index.js'
import { decimal } from '../../src/terminal/index.js'
import { type Group, lower, pick, type RunContext, type Sample, withFolder } from '../suite/index.js'
import { measureLoad, sampleOf } from './measured-case.js'
import { wholeLog, writeEntries } from './scratch.js'

type LogOptions = Pick<ClusterOptions, 'logBytesMax'>

/** Who starts on a long log applies all of it before the first answer. */
const requestTimeoutMs = 60_000
const options = { nodes: 3, requestTimeoutMs } as const

export const startUp: Group = {
  name: 'start-up',
  cases: (extent) =>
    pick(extent, [1000, 100_000, 1_000_000], [1000, 100_000]).map((entries) => ({
      name: String(entries),
      title: `from a start with ${decimal(entries)} entries to the first acknowledged write`,
      parameters: { entries },
      run: (context: RunContext) => withLog(entries, wholeLog, context, (dir) => start(dir, context)),
    })),
}

const lengths = {
  quick: { short: 1000, long: 100_000 },
  usual: { short: 1000, long: 1_000_000 },
  long: { short: 1000, long: 10_000_000 },
} as const

export const logLength = behindEntries('log-length', 'that was never cut', wholeLog)

/** As a cluster is that nobody told otherwise: what was written stands in snapshots, but for the last mebibytes. */
export const history = behindEntries('history', 'that is cut as it grows', {})

/**
 * Both clusters run, and one of them has the clients: so the machine has as much memory in use and as little of it left
 * behind the short log as behind the long one. Each case begins with new nodes, lest the second has the warmer code.
 */
function behindEntries(name: string, which: string, bounds: LogOptions): Group {
  return {
    name,
    cases: (extent) => {
      const { short, long } = lengths[extent]
      return [short, long].map((entries) => ({
        name: String(entries),
        title: `1,024 clients behind ${decimal(entries)} entries of a log ${which}, with ${decimal(short)} and ${decimal(long)} in two clusters`,
        parameters: { entries },
        run: (context: RunContext) =>
          withLog(long, bounds, context, (longDir) =>
            withLog(short, bounds, context, (shortDir) => {
              const [dir, idleDir] = entries === long ? [longDir, shortDir] : [shortDir, longDir]
              return withCluster({ dir: idleDir, ...options, ...bounds }, context.signal, async (idle) => {
                context.tell('starting the cluster that stays idle')
                await idle.put('all', 'applied')
                return sampleOf(await measureLoad({ dir, cluster: { ...bounds, requestTimeoutMs } }, context))
              })
            }),
          ),
      }))
    },
  }
}

/** Runs with the directory of a cluster that has so many entries in its log. */
function withLog<T>(
  entries: number,
  bounds: LogOptions,
  context: RunContext,
  run: (dir: string) => Promise<T>,
): Promise<T> {
  return withFolder('bench', async (dir) => {
    await withCluster({ dir, ...options, ...bounds }, context.signal, (cluster) =>
      writeEntries(cluster, entries, context),
    )
    return run(dir)
  })
}

async function start(dir: string, { signal, tell }: RunContext): Promise<Sample> {
  tell('starting on the log')
  const startedMs = performance.now()
  return withCluster({ dir, ...options, ...wholeLog }, signal, async (cluster) => {
    const upMs = performance.now()
    await cluster.put('first', 'write')
    return {
      figures: [
        lower('firstWriteMs', 'ms', performance.now() - startedMs),
        lower('nodesUpMs', 'ms', upMs - startedMs),
      ],
    }
  })
}
