/**
 * How often each latency occurred. Node's own histogram takes a lock for each value and knows no count; here a
 * thousand calls that were answered together are one entry.
 */

/** Bits of a latency that are kept: it is told to one part in a thousand, and exactly below 2,048 us. */
const keptBits = 11

/** The place, from 1 on, of the value within which `percent` of so many values lie. */
export function rankOf(percent: number, count: number): number {
  // 99.9 % of 1,000 are 999, and a little more as these numbers are kept.
  return Math.max(1, Math.ceil((percent * count) / 100 - 1e-6))
}

/** The figures of a histogram, as they cross between threads: a clone of a histogram is no more than these. */
export interface LatencyCounts {
  /** By the end of a class of latencies. No more than a thousand classes for each doubling, however many calls. */
  readonly counts: ReadonlyMap<number, number>
  readonly count: number
  /** The least latency in whole microseconds, exactly; Infinity when there is none. */
  readonly min: number
}

export class LatencyHistogram implements LatencyCounts {
  readonly counts = new Map<number, number>()
  count = 0
  min = Number.POSITIVE_INFINITY

  /** Counts `calls` calls that took `us` whole microseconds each. */
  record(us: number, calls: number): void {
    this.count += calls
    this.min = Math.min(this.min, us)
    const end = endOfClass(us)
    this.counts.set(end, (this.counts.get(end) ?? 0) + calls)
  }

  add(other: LatencyCounts): void {
    for (const [end, calls] of other.counts) this.record(end, calls)
    this.min = Math.min(this.min, other.min)
  }

  /** The microseconds within which `percent` of the calls were answered: the end of a class; 0 when there is none. */
  percentile(percent: number): number {
    const rank = rankOf(percent, this.count)
    let calls = 0
    for (const [end, times] of [...this.counts].sort(([a], [b]) => a - b)) {
      calls += times
      if (calls >= rank) return end
    }
    return 0
  }
}

function endOfClass(us: number): number {
  const width = 2 ** Math.max(0, Math.floor(Math.log2(us)) + 1 - keptBits)
  return (Math.floor(us / width) + 1) * width - 1
}
