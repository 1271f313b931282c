/** Figures of frames over time, thinned to as many points as the plots can show. */
import type { Frame, LatencyFrame } from '../observer/index.js'
import { indexOfLast } from './history.js'

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

type Latencies = Omit<Series, 'atS' | 'committed'>

/**
 * The series of the frames in a span of time, of at most about `pointsMax` points. A point tells the mean rate of its
 * stretch and the worst latencies in it. Latencies of nodes are those of the slowest node.
 */
export function seriesOf(frames: readonly Frame[], { fromMs, toMs }: TimeSpan, pointsMax: number): Series {
  const series = emptySeries()
  const stretchMs = (toMs - fromMs) / pointsMax
  const first = indexOfLast(frames, ({ atMs }) => atMs < fromMs) + 1
  const last = indexOfLast(frames, ({ atMs }) => atMs <= toMs)
  // The last frame before the span tells how far commits were at its beginning.
  let begun = frames[first - 1]
  let worst = new Worst()
  for (let at = first; at <= last; at++) {
    const frame = frames[at] as Frame
    worst.take(frame)
    if (at < last && begun !== undefined && frame.atMs - begun.atMs < stretchMs) continue
    series.atS.push(frame.atMs / 1000)
    series.committed.push(rateOf(begun, frame))
    worst.putInto(series)
    begun = frame
    worst = new Worst()
  }
  return series
}

function emptySeries(): Series {
  return {
    atS: [],
    committed: [],
    callsP50: [],
    callsP99: [],
    lateP50: [],
    lateP99: [],
    flushP50: [],
    flushP99: [],
  }
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

/** The worst latencies of a stretch, in microseconds; -1: none was measured. No frame allocates: records have many. */
class Worst {
  readonly #us: Record<keyof Latencies, number> = {
    callsP50: -1,
    callsP99: -1,
    lateP50: -1,
    lateP99: -1,
    flushP50: -1,
    flushP99: -1,
  }

  take({ calls, nodes }: Frame): void {
    this.#note('callsP50', 'callsP99', calls)
    for (const { heartbeatsLate, flushes } of nodes) {
      this.#note('lateP50', 'lateP99', heartbeatsLate)
      this.#note('flushP50', 'flushP99', flushes)
    }
  }

  #note(p50: keyof Latencies, p99: keyof Latencies, { count, p50us, p99us }: LatencyFrame): void {
    if (count === 0) return
    this.#us[p50] = Math.max(this.#us[p50], p50us)
    this.#us[p99] = Math.max(this.#us[p99], p99us)
  }

  putInto(series: Latencies): void {
    for (const [name, us] of Object.entries(this.#us))
      series[name as keyof Latencies].push(us < 0 ? null : us / 1000)
  }
}
