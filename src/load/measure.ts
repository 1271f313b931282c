/** One measurement: a cluster, clients that warm it up, a window of time, and what happened within it. */
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import type { Cluster, ClusterOptions, Durability, ReadConfirmation } from '../cluster/index.js'
import type { LatencyHistogram } from '../telemetry/index.js'
import { nodeFailure } from '../terminal/index.js'
import { fill, putCalls, type Store, workloadCalls } from './calls.js'
import { type Callers, type CallersOptions, callersOf } from './clients.js'
import type { Phase } from './phases.js'
import { type Latencies, type OperationName, Tally } from './tally.js'
import { type Second, Timeline } from './timeline.js'
import { type MeasureClock, measureWindow, realClock, type Window, type WindowOptions } from './window.js'
import { withCluster } from './with-cluster.js'
import { createWorkload, type Workload, type WorkloadName } from './workload.js'

export interface MeasureOptions extends WindowOptions, CallersOptions {
  readonly nodes: number
  /** Bytes of a command; with a workload, of a value. */
  readonly size: number
  readonly batch: number
  readonly durability: Durability
  readonly threads: 'on' | 'off'
  readonly reads: ReadConfirmation
  /** The nodes that serve a workload's reads. */
  readonly readsFrom: 'leader' | 'any'
  readonly workload?: WorkloadName
  /** Records that a workload begins with. */
  readonly records: number
  readonly dir?: string
  /** Given the cluster once it runs, before anything is asked of it. */
  readonly follow?: (cluster: Cluster) => void
  /** What else the cluster is started with. */
  readonly cluster?: Omit<ClusterOptions, 'nodes' | 'durability' | 'host' | 'reads' | 'dir'>
}

/** The load that is measured by default. */
export const usualLoad = {
  ...{ nodes: 3, clients: 1024, size: 128, batch: 1, records: 10_000 },
  ...({ durability: 'flush', threads: 'on', reads: 'lease', readsFrom: 'leader' } as const),
} satisfies Partial<MeasureOptions>

/** A measurement with all that it was made from. */
export interface Measured {
  readonly summary: Measurement
  /** Of the calls by operation, in microseconds. */
  readonly latencies: ReadonlyMap<OperationName, LatencyHistogram>
  /** Of the heartbeats, in microseconds. */
  readonly lateness: LatencyHistogram
  readonly timeline: readonly Second[]
}

/** The options of a measurement, as they were given. */
type Given = 'nodes' | 'clients' | 'size' | 'batch' | 'durability' | 'threads' | 'reads' | 'readsFrom'

/** Times in milliseconds, of all calls; counts and sums are of the measured window. */
export interface Measurement extends Omit<Latencies, 'count'>, Pick<MeasureOptions, Given> {
  readonly commitsPerSecond: number
  /** Of the clients' first hundred calls, warm-up included. */
  readonly firstHundredP50ms: number
  /** Calls answered; more than commits with reads, fewer with batches. */
  readonly callsPerSecond: number
  readonly workload: WorkloadName | null
  readonly records: number | null
  /** Calls a second that were due, in an open loop. */
  readonly rate: number | null
  /** Open loop: calls due before the end of the window and not answered by then, which are in no latency. */
  readonly unanswered: number | null
  readonly operations: Partial<Record<OperationName, Latencies>>
  /** Elections begun, over all nodes. */
  readonly elections: number
  /** Of the heartbeats that reads did not bring; null where none came. */
  readonly heartbeatLateP999ms: number | null
  /** All heartbeats that came, over all followers. */
  readonly heartbeats: number
  /** Intervals that passed without a heartbeat, over all followers. */
  readonly heartbeatsMissed: number
  readonly commits: number
  /** Calls that certainly did not happen, and those of which it is not known. Neither counts as a commit. */
  readonly notApplied: number
  readonly unknown: number
  /** Over all nodes; null without a commit. */
  readonly flushesPerCommit: number | null
  readonly messagesPerCommit: number | null
  readonly bytesFlushed: number
  readonly seconds: number
  /**
   * How much of the time the thread of the clients ran or waited for a core, 0 to 1: near 1, it limits what is
   * measured.
   */
  readonly clientThreadBusy: number
  /** Processor time of the whole process, in cores. */
  readonly coresBusy: number
  readonly cores: number
  readonly node: string
  readonly platform: string
}

const { random } = Math

/** Rejects when the signal is aborted or the cluster gives up; it is closed by then either way. */
export async function measure(
  options: MeasureOptions,
  signal: AbortSignal,
  tell: (phase: Phase) => void,
): Promise<Measured> {
  const { nodes, durability, threads, reads, dir } = options
  tell({ name: 'start', secondsLeft: 0, commandsPerSecond: 0, callsPerSecond: 0 })
  const host = threads === 'on' ? 'threads' : 'inline'
  const place = dir === undefined ? {} : { dir }
  const clusterOptions = { ...options.cluster, nodes, durability, host, reads, ...place } as const
  return withCluster(clusterOptions, signal, (cluster) => {
    options.follow?.(cluster)
    return measureCluster(cluster, realClock, options, signal, tell)
  })
}

/** As `measure`, of a cluster that runs already. */
export async function measureCluster(
  cluster: Cluster,
  clock: MeasureClock,
  options: MeasureOptions,
  signal: AbortSignal,
  tell: (phase: Phase) => void,
): Promise<Measured> {
  const tally = new Tally(clock.now)
  // A failed node ends the measurement: the rest of the cluster is another subject.
  cluster.events.on('event', (event) => {
    if (event.type === 'failed') tally.giveUp(nodeFailure(event.nodeId, event.why))
  })
  const timeline = new Timeline(cluster, tally)
  const figuresOf = async ({ before, after, unanswered }: Window<Reading>): Promise<Measured> => {
    const lateness = await cluster.takeHeartbeatLateness()
    // Where no lease can be held, reads are confirmed otherwise than was asked for.
    const { reads } = cluster.options
    const summary = measurementOf({ ...options, reads }, tally, before, after, {
      unanswered,
      heartbeatLateP999ms: lateness.count === 0 ? null : lateness.percentile(99.9) / 1000,
    })
    return { summary, latencies: tally.histograms, lateness, timeline: timeline.seconds }
  }
  const subject = {
    prepare: () => prepare(cluster, tally, options),
    warmedUp: () => cluster.takeHeartbeatLateness(),
    read: (atMs: number) => readingOf(cluster, atMs),
    begun: () => timeline.start(),
    ending: () => timeline.stop(),
    figuresOf,
  }
  return measureWindow(subject, options, tally, clock, signal, tell)
}

/** What must be there before the clients can run; the first put waits until somebody leads. */
async function prepare(cluster: Cluster, tally: Tally, options: MeasureOptions): Promise<Callers> {
  const workload = workloadOf(options)
  if (workload === undefined) {
    await cluster.put('warm', 'up')
    return callersOf(tally, putCalls(cluster, options), options)
  }
  await fill(cluster, tally, workload)
  const { readsFrom: from } = options
  const store: Store = {
    put: (key, value) => cluster.put(key, value),
    get: from === 'any' ? (key) => cluster.get(key, { from }) : (key) => cluster.get(key),
  }
  return callersOf(tally, workloadCalls(store, workload), options)
}

/** `undefined`: plain puts. */
export function workloadOf({
  workload,
  records,
  size,
}: Pick<MeasureOptions, 'workload' | 'records' | 'size'>): Workload | undefined {
  return workload && createWorkload(workload, { records, size, random })
}

type Counter =
  | 'elections'
  | 'flushes'
  | 'bytesFlushed'
  | 'messagesSent'
  | 'heartbeatsReceived'
  | 'heartbeatsMissed'

/** Over all nodes, since they started. */
export function totalOf(cluster: Cluster, counter: Counter): number {
  return cluster.status().reduce((total, node) => total + node[counter], 0)
}

/** Everything that is told as a difference between the end of a window and its beginning. */
export function readingOf(cluster: Cluster, atMs: number) {
  return {
    ...processReading(atMs),
    elections: totalOf(cluster, 'elections'),
    flushes: totalOf(cluster, 'flushes'),
    bytesFlushed: totalOf(cluster, 'bytesFlushed'),
    messagesSent: totalOf(cluster, 'messagesSent'),
    heartbeatsReceived: totalOf(cluster, 'heartbeatsReceived'),
    heartbeatsMissed: totalOf(cluster, 'heartbeatsMissed'),
  }
}

type Reading = ReturnType<typeof readingOf>

/** Of this process, whatever it calls. */
export function processReading(atMs: number) {
  const { user, system } = process.cpuUsage()
  return { atMs, cpuMs: (user + system) / 1000, loop: performance.eventLoopUtilization() }
}

type ProcessReading = ReturnType<typeof processReading>

function measurementOf(
  options: MeasureOptions,
  tally: Tally,
  before: Reading,
  after: Reading,
  others: Pick<Measurement, 'unanswered' | 'heartbeatLateP999ms'>,
): Measurement {
  const { nodes, durability, threads, reads, readsFrom } = options
  const perCommit = (amount: number): number | null => (tally.commands === 0 ? null : amount / tally.commands)
  return {
    ...callFigures(options, tally, before, after),
    ...{ nodes, durability, threads, reads, readsFrom },
    elections: after.elections - before.elections,
    ...others,
    heartbeats: after.heartbeatsReceived - before.heartbeatsReceived,
    heartbeatsMissed: after.heartbeatsMissed - before.heartbeatsMissed,
    flushesPerCommit: perCommit(after.flushes - before.flushes),
    messagesPerCommit: perCommit(after.messagesSent - before.messagesSent),
    bytesFlushed: after.bytesFlushed - before.bytesFlushed,
  }
}

type Asked = Pick<MeasureOptions, 'clients' | 'size' | 'batch' | 'workload' | 'records' | 'rate'>

/** The clients' view of a window, whatever they call. */
export function callFigures(
  { clients, size, batch, workload, records, rate }: Asked,
  tally: Tally,
  before: ProcessReading,
  after: ProcessReading,
) {
  const ms = after.atMs - before.atMs
  const { count, ...percentiles } = tally.latencies
  return {
    commitsPerSecond: Math.round((tally.commands / ms) * 1000),
    callsPerSecond: Math.round((count / ms) * 1000),
    ...percentiles,
    firstHundredP50ms: tally.firstHundredP50ms,
    ...{ clients, size, batch },
    workload: workload ?? null,
    records: workload === undefined ? null : records,
    rate: rate ?? null,
    operations: tally.latenciesByOperation,
    commits: tally.commands,
    notApplied: tally.notApplied,
    unknown: tally.unknown,
    seconds: ms / 1000,
    clientThreadBusy: performance.eventLoopUtilization(after.loop, before.loop).utilization,
    coresBusy: (after.cpuMs - before.cpuMs) / ms,
    cores: availableParallelism(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  }
}
