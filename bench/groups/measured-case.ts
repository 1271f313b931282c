/** Cases that are one measurement of a cluster under load. */
import {
  type Measured,
  type MeasureOptions,
  measure,
  type Phase,
  phaseLine,
  warmUpSecondsFor,
} from '../../src/load/index.js'
import {
  type BenchCase,
  higher,
  lower,
  microseconds,
  microsecondsPlusOne,
  neither,
  type RunContext,
  type Sample,
  type SampleDistribution,
} from '../suite/index.js'

export const durabilities = ['flush', 'none'] as const

type LoadOptions = Partial<Omit<MeasureOptions, 'warmUpSeconds' | 'seconds'>>

const defaults: Omit<MeasureOptions, 'warmUpSeconds' | 'seconds'> = {
  nodes: 3,
  clients: 1024,
  size: 128,
  batch: 1,
  durability: 'flush',
  threads: 'on',
  reads: 'lease',
  records: 10_000,
}

/** Title and parameters name only what the case is about; the rest is as in `raftbox bench`. */
export function loadCase(about: Omit<BenchCase, 'run'>, options: LoadOptions): BenchCase {
  return { ...about, run: async (context) => sampleOf(await measureLoad(options, context)) }
}

/** `watch` is called once a second, with what goes on. */
export function measureLoad(
  options: LoadOptions,
  { seconds, signal, tell }: RunContext,
  watch: (phase: Phase) => void = () => undefined,
): Promise<Measured> {
  const warmUpSeconds = warmUpSecondsFor(seconds)
  return measure({ ...defaults, ...options, warmUpSeconds, seconds }, signal, (phase) => {
    watch(phase)
    tell(phaseLine(phase))
  })
}

export function sampleOf({ summary, latencies, lateness, timeline }: Measured): Sample {
  const distributions: SampleDistribution[] = [...latencies].map(([name, histogram]) => ({
    name,
    histogram,
    toMs: microseconds,
  }))
  if (summary.heartbeats > 0) {
    distributions.push({ name: 'heartbeat lateness', histogram: lateness, toMs: microsecondsPlusOne })
  }
  const commits = higher('commitsPerSecond', '1/s', summary.commitsPerSecond)
  const calls = higher('callsPerSecond', '1/s', summary.callsPerSecond)
  return {
    figures: [
      // First what the case is about: a workload may be nothing but reads, which commit nothing.
      ...(summary.workload === null ? [commits, calls] : [calls, commits]),
      lower('p50ms', 'ms', summary.p50ms),
      lower('p99ms', 'ms', summary.p99ms),
      lower('p999ms', 'ms', summary.p999ms),
      lower('maxMs', 'ms', summary.maxMs),
      lower('elections', '', summary.elections),
      lower('heartbeatLateP999ms', 'ms', summary.heartbeatLateP999ms),
      lower('heartbeatsMissed', '', summary.heartbeatsMissed),
      lower('notAnswered', '', summary.notApplied + summary.unknown),
      lower('cpuMsPerThousandCalls', 'ms', (summary.coresBusy * 1e6) / Math.max(1, summary.callsPerSecond)),
      neither('flushesPerCommit', '', summary.flushesPerCommit),
      neither('messagesPerCommit', '', summary.messagesPerCommit),
      neither('clientThreadBusy', '%', summary.clientThreadBusy * 100),
    ],
    distributions,
    timeline,
  }
}
