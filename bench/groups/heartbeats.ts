/** Heartbeats as they arrive, what they cost, and how many of them the cores can keep up. */
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, leaderKnown } from '../../src/cluster/index.js'
import { readingOf, withCluster } from '../../src/load/index.js'
import type { LatencyHistogram } from '../../src/telemetry/index.js'
import {
  type BenchCase,
  type Group,
  lower,
  microseconds,
  type RunContext,
  type Sample,
} from '../suite/index.js'
import { limitCases } from './heartbeat-limits.js'
import { measureLoad, sampleOf } from './measured-case.js'

const heartbeatIntervalMs = 50
/** A leader beats twenty times a second: it takes some time until there are enough of them. */
const times = 4

export const heartbeats: Group = {
  name: 'heartbeats',
  cases: (extent) => [idle, loaded, ...limitCases(extent)],
}

const idle: BenchCase = {
  name: 'idle',
  title: 'heartbeats every 50 ms, nothing else to do',
  parameters: { load: 'idle' },
  run: (context) =>
    withCluster({ nodes: 3, heartbeatIntervalMs }, context.signal, (cluster) =>
      measureIdle(cluster, context),
    ),
}

const loaded: BenchCase = {
  name: 'durable',
  title: 'heartbeats every 50 ms, 1,024 clients, durable',
  parameters: { load: 'durable' },
  run: async (context) => {
    const longer = { ...context, seconds: context.seconds * times }
    const measured = await measureLoad({ cluster: { heartbeatIntervalMs } }, longer)
    const sample = sampleOf(measured)
    const { figures } = sample
    return {
      ...sample,
      figures: [
        ...latenessFigures(measured.lateness),
        ...figures.filter(({ name }) => name !== 'heartbeatLateP999ms'),
      ],
    }
  },
}

async function measureIdle(cluster: Cluster, { seconds, signal, tell }: RunContext): Promise<Sample> {
  await leaderKnown(cluster, signal)
  await cluster.put('warm', 'up')
  await delay(1000, undefined, { signal })
  await cluster.takeHeartbeatLateness()
  const before = readingOf(cluster, performance.now())
  tell(`idle for ${seconds * times} s`)
  await delay(seconds * times * 1000, undefined, { signal })
  const after = readingOf(cluster, performance.now())
  const lateness = await cluster.takeHeartbeatLateness()
  const cpuMs = after.cpuMs - before.cpuMs
  const ms = after.atMs - before.atMs
  const received = after.heartbeatsReceived - before.heartbeatsReceived
  if (received === 0) throw new Error('no heartbeat arrived')
  return {
    figures: [
      ...latenessFigures(lateness),
      lower('heartbeatsMissed', '', after.heartbeatsMissed - before.heartbeatsMissed),
      lower('elections', '', after.elections - before.elections),
      lower('cpuMsPerHeartbeat', 'ms', cpuMs / received),
      lower('cpuShare', '%', (cpuMs / ms) * 100),
      lower('messagesPerSecond', '1/s', ((after.messagesSent - before.messagesSent) / ms) * 1000),
    ],
    distributions: [{ name: 'heartbeat lateness', histogram: lateness, toMs: microseconds }],
  }
}

function latenessFigures(lateness: LatencyHistogram) {
  const at = (percentile: number): number => microseconds(lateness.percentile(percentile))
  return [
    lower('lateP999ms', 'ms', at(99.9)),
    lower('lateP50ms', 'ms', at(50)),
    lower('lateP99ms', 'ms', at(99)),
    lower('lateMaxMs', 'ms', at(100)),
  ]
}
