/** What the plots draw: figures of frames over time, thinned to as many points as can be seen. */
import type { Frame, LatencyFrame } from '../observer/index.js'

/** A figure that is `null` was not measured there. */
export type Figures = (number | null)[]

/** All lists are of one length. Latencies are milliseconds. */
export interface Series {
  /** Seconds since 1970: the end of the stretch that a point stands for. */
  readonly atS: number[]
  /** Entries committed a second. */
  readonly committed: Figures
  readonly callsP50: Figures
  readonly callsP99: Figures
  readonly lateP50: Figures
  readonly lateP99: Figures
  readonly flushP50: Figures
  readonly flushP99: Figures
}

export interface TimeSpan {
  readonly fromMs: number
  readonly toMs: number
}

const latencies = ['callsP50', 'callsP99', 'lateP50', 'lateP99', 'flushP50', 'flushP99'] as const

/**
 * The series of the frames in a span of time, of at most about `pointsMax` points. A point tells the mean rate of its
 * stretch and the worst latencies in it. Latencies of nodes are those of the slowest node.
 */
export function seriesOf(frames: readonly Frame[], { fromMs, toMs }: TimeSpan, pointsMax: number): Series {
  const series = emptySeries()
  const stretchMs = (toMs - fromMs) / pointsMax
  let begun: Frame | undefined
  let stretch: Frame[] = []
  for (const frame of frames) {
    if (frame.atMs < fromMs || frame.atMs > toMs) {
      // The last frame before the span tells how far commits were at its beginning.
      if (frame.atMs < fromMs) begun = frame
      continue
    }
    stretch.push(frame)
    if (begun !== undefined && frame.atMs - begun.atMs < stretchMs) continue
    point(series, begun, stretch)
    begun = frame
    stretch = []
  }
  if (stretch.length > 0) point(series, begun, stretch)
  return series
}

function emptySeries(): Series {
  const committed: Figures = []
  const [callsP50, callsP99, lateP50, lateP99, flushP50, flushP99] = latencies.map((): Figures => [])
  return { atS: [], committed, callsP50, callsP99, lateP50, lateP99, flushP50, flushP99 } as Series
}

function point(series: Series, begun: Frame | undefined, stretch: readonly Frame[]): void {
  const last = stretch.at(-1) as Frame
  const nodes = stretch.flatMap((frame) => frame.nodes)
  series.atS.push(last.atMs / 1000)
  series.committed.push(rateOf(begun, last))
  const calls = worstOf(stretch.map((frame) => frame.calls))
  const late = worstOf(nodes.map(({ heartbeatsLate }) => heartbeatsLate))
  const flush = worstOf(nodes.map(({ flushes }) => flushes))
  series.callsP50.push(calls.p50)
  series.callsP99.push(calls.p99)
  series.lateP50.push(late.p50)
  series.lateP99.push(late.p99)
  series.flushP50.push(flush.p50)
  series.flushP99.push(flush.p99)
}

function rateOf(begun: Frame | undefined, last: Frame): number | null {
  if (begun === undefined || last.atMs <= begun.atMs) return null
  const commits = committedIn(last) - committedIn(begun)
  // Nodes that are all stopped forget how far they were.
  return commits < 0 ? null : (commits * 1000) / (last.atMs - begun.atMs)
}

function committedIn(frame: Frame): number {
  return frame.nodes.reduce((most, { commitIndex }) => Math.max(most, commitIndex), 0)
}

function worstOf(measured: readonly LatencyFrame[]): { p50: number | null; p99: number | null } {
  let p50: number | null = null
  let p99: number | null = null
  for (const { count, p50us, p99us } of measured) {
    if (count === 0) continue
    p50 = Math.max(p50 ?? 0, p50us / 1000)
    p99 = Math.max(p99 ?? 0, p99us / 1000)
  }
  return { p50, p99 }
}
