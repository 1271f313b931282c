/** Cases that are one measurement of a cluster under load. */
import {
  type Measured,
  type MeasureOptions,
  measure,
  type Phase,
  phaseLine,
  usualLoad,
  warmUpSecondsFor,
} from '../../src/load/index.js'
import {
  type BenchCase,
  higher,
  lower,
  microseconds,
  neither,
  type RunContext,
  type Sample,
  type SampleDistribution,
} from '../suite/index.js'

export const durabilities = ['flush', 'none'] as const

type LoadOptions = Partial<Omit<MeasureOptions, 'warmUpSeconds' | 'seconds'>>

/** The subject of a case, by the names of a measurement's options. */
type Parameters = Pick<
  LoadOptions,
  'nodes' | 'clients' | 'size' | 'batch' | 'durability' | 'workload' | 'reads'
> &
  BenchCase['parameters']

/** A measurement as that of `raftbox bench`, but for what the case is about and for what `more` says. */
export function loadCase(
  name: string,
  title: string,
  parameters: Parameters,
  more: LoadOptions = {},
): BenchCase {
  const run = async (context: RunContext): Promise<Sample> =>
    sampleOf(await measureLoad({ ...parameters, ...more }, context))
  return { name, title, parameters, run }
}

/** `watch` is called once a second, with what goes on. */
export function measureLoad(
  options: LoadOptions,
  { seconds, signal, tell }: RunContext,
  watch: (phase: Phase) => void = () => undefined,
): Promise<Measured> {
  const warmUpSeconds = warmUpSecondsFor(seconds)
  return measure({ ...usualLoad, ...options, warmUpSeconds, seconds }, signal, (phase) => {
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
  if (lateness.count > 0) {
    distributions.push({ name: 'heartbeat lateness', histogram: lateness, toMs: microseconds })
  }
  const commits = higher('commitsPerSecond', '1/s', summary.commitsPerSecond)
  const calls = higher('callsPerSecond', '1/s', summary.callsPerSecond)
  return {
    figures: [
      // First what the case is about: a workload may be nothing but reads, which commit nothing.
      ...(summary.workload === null ? [commits, calls] : [calls, commits]),
      ...(['p50ms', 'p99ms', 'p999ms', 'maxMs'] as const).map((name) => lower(name, 'ms', summary[name])),
      lower('elections', '', summary.elections),
      ...there(summary.heartbeatLateP999ms, (value) => lower('heartbeatLateP999ms', 'ms', value)),
      lower('heartbeatsMissed', '', summary.heartbeatsMissed),
      lower('notAnswered', '', summary.notApplied + summary.unknown),
      lower('cpuMsPerThousandCalls', 'ms', (summary.coresBusy * 1e6) / Math.max(1, summary.callsPerSecond)),
      ...there(summary.flushesPerCommit, (value) => neither('flushesPerCommit', '', value)),
      ...there(summary.messagesPerCommit, (value) => neither('messagesPerCommit', '', value)),
      neither('clientThreadBusy', '%', summary.clientThreadBusy * 100),
    ],
    distributions,
    timeline,
  }
}

/** A figure of nothing is left out: as 0 it would be the best value. */
function there<F>(value: number | null, figureOf: (value: number) => F): F[] {
  return value === null ? [] : [figureOf(value)]
}
