/** The fastest heartbeat and the largest cluster that hold for some seconds without an election. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, leaderKnown } from '../../src/cluster/index.js'
import { totalOf, underLoad, withCluster } from '../../src/load/index.js'
import { counted } from '../../src/terminal/index.js'
import { type BenchCase, type Extent, higher, lower, pick, type RunContext } from '../suite/index.js'
import { puts } from './scratch.js'

type Load = 'idle' | 'durable'

interface Shape {
  readonly nodes: number
  readonly heartbeatIntervalMs: number
}

const clients = 1024
/** After somebody leads, until everybody has found its pace. */
const settleMs = 1000
const holdSecondsMax = 3

export function limitCases(extent: Extent): BenchCase[] {
  return (['idle', 'durable'] as const).flatMap((load) => [
    {
      name: `fastest/${load}`,
      title: `the fastest heartbeat of three nodes without an election, ${load}`,
      parameters: { load },
      run: async (context: RunContext) => {
        // From what surely holds on to what hardly can; 2 ms is the shortest interval that there is.
        const intervalsMs = pick(extent, [200, 100, 50, 20, 10, 5, 2], [200, 20, 5])
        const shapes = intervalsMs.map((heartbeatIntervalMs) => ({ nodes: 3, heartbeatIntervalMs }))
        const fastest = await lastThatHolds(shapes, load, context)
        if (fastest === undefined)
          throw new Error(`${shapes[0]?.heartbeatIntervalMs} ms was already too fast`)
        return { figures: [lower('fastestIntervalMs', 'ms', fastest.heartbeatIntervalMs)] }
      },
    },
    {
      name: `largest/${load}`,
      title: `the largest cluster without an election, heartbeats every 50 ms, ${load}`,
      parameters: { load },
      run: async (context: RunContext) => {
        const shapes = pick(extent, [3, 5, 7, 9, 15, 25], [3, 9]).map((nodes) => ({
          nodes,
          heartbeatIntervalMs: 50,
        }))
        const largest = await lastThatHolds(shapes, load, context)
        // A node by itself needs nobody's heartbeat.
        return { figures: [higher('largestCluster', '', largest?.nodes ?? 1)] }
      },
    },
  ])
}

/** They are tried in turn until one does not hold. */
async function lastThatHolds(
  shapes: readonly Shape[],
  load: Load,
  context: RunContext,
): Promise<Shape | undefined> {
  let last: Shape | undefined
  for (const shape of shapes) {
    context.tell(`${counted(shape.nodes, 'node')}, a heartbeat every ${shape.heartbeatIntervalMs} ms`)
    const isHolding = await withCluster(shape, context.signal, (cluster) => holds(cluster, load, context))
    if (!isHolding) return last
    last = shape
  }
  return last
}

async function holds(cluster: Cluster, load: Load, { seconds, signal }: RunContext): Promise<boolean> {
  await leaderKnown(cluster, signal)
  const watch = async (ended: AbortSignal): Promise<boolean> => {
    await delay(settleMs, undefined, { signal: ended })
    const before = totalOf(cluster, 'elections')
    await delay(Math.min(seconds, holdSecondsMax) * 1000, undefined, { signal: ended })
    return cluster.leaderId !== undefined && totalOf(cluster, 'elections') === before
  }
  if (load === 'idle') return watch(signal)
  const options = { clients, nextCall: puts(cluster), signal }
  return underLoad(cluster, options, (running) => watch(running.signal))
}
