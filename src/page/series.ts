/** Figures of frames over time, thinned to as many points as the plots can show. */
import type { Frame, LatencyFrame } from '../observer/index.js'
import { indexOfLast } from './history.js'

/** A figure that is `null` was not measured there. */
export type Figures = (number | null)[]

/** All lists are of one length. Latencies are milliseconds. */
export interface Series {
  /** Seconds since 1970: the end of the stretch that a point stands for. */
  readonly atS: number[]
  /** Commands committed a second. */
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
  // Nodes that are all started again forget how far they were.
  let commitIndex = 0
  for (let at = 0; at < first; at++) commitIndex = Math.max(commitIndex, commitIndexOf(frames[at] as Frame))
  // The last frame before the span tells how far commits were at its beginning.
  let begun = frames[first - 1]
  let begunIndex = commitIndex
  let worst = new Worst()
  for (let at = first; at <= last; at++) {
    const frame = frames[at] as Frame
    worst.take(frame)
    commitIndex = Math.max(commitIndex, commitIndexOf(frame))
    if (at < last && begun !== undefined && frame.atMs - begun.atMs < stretchMs) continue
    series.atS.push(frame.atMs / 1000)
    series.committed.push(rateOf(begun, frame, commitIndex - begunIndex))
    worst.putInto(series)
    begun = frame
    begunIndex = commitIndex
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

/** `entries`: those committed meanwhile. */
function rateOf(begun: Frame | undefined, last: Frame, entries: number): number | null {
  if (begun === undefined || last.atMs <= begun.atMs) return null
  return (commandsIn(begun, last, entries) * 1000) / (last.atMs - begun.atMs)
}

/**
 * The commands among the entries: as many as the leader applied meanwhile. A node that is started again applies its whole
 * log anew, so that the entries bound them. The nodes of older records do not count their commands.
 */
function commandsIn(begun: Frame, last: Frame, entries: number): number {
  const leaders = last.nodes.filter(({ nodeId }) => nodeId === last.leaderId)
  const counts = (leaders.length > 0 ? leaders : last.nodes).flatMap(({ nodeId, commandsApplied }) => {
    const before = begun.nodes.find((node) => node.nodeId === nodeId)?.commandsApplied
    return commandsApplied === undefined || before === undefined ? [] : [commandsApplied - before]
  })
  return counts.length === 0 ? entries : Math.min(entries, Math.max(0, ...counts))
}

function commitIndexOf(frame: Frame): number {
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
