/**
 * How often each latency occurred, in memory that other threads read without asking: cumulative since the memory was
 * made. One thread writes. A class of latencies is at most a quarter of its least one wide.
 */
import { rankOf } from './latency-histogram.js'

/** Below this each microsecond is a class of its own; above, each doubling has so many classes. */
const parts = 4
/** Two to this power is 67 seconds: the last class holds all that took longer. */
const doublings = 26
const longestUs = 2 ** doublings
const classes = parts * (doublings - 1) + 1

/** The longest latency of each class, in whole microseconds. */
export const classEndsUs: readonly number[] = Array.from({ length: classes }, (_, at) => {
  if (at < parts) return at
  if (at === classes - 1) return Number.POSITIVE_INFINITY
  const width = 2 ** (Math.floor(at / parts) - 1)
  return (parts + (at % parts) + 1) * width - 1
})

/** A histogram at one moment, or the part of it between two moments. */
export class HistogramReading {
  readonly count: number
  readonly sumUs: number
  /** How many latencies are in each class of `classEndsUs`. */
  readonly counts: Float64Array

  constructor(counts: Float64Array, sumUs: number) {
    this.counts = counts
    this.sumUs = sumUs
    this.count = counts.reduce((total, times) => total + times, 0)
  }

  /** The latencies that came after an earlier reading of the same histogram. */
  since({ counts, sumUs }: HistogramReading): HistogramReading {
    const later = this.counts.map((times, at) => times - (counts[at] ?? 0))
    return new HistogramReading(later, this.sumUs - sumUs)
  }

  /** The microseconds within which `percent` of the latencies lie: the end of a class; 0 when there is none. */
  percentile(percent: number): number {
    if (this.count === 0) return 0
    const rank = rankOf(percent, this.count)
    let seen = 0
    for (const [at, times] of this.counts.entries()) {
      seen += times
      if (seen >= rank) return Math.min(classEndsUs[at] ?? longestUs, longestUs)
    }
    return longestUs
  }
}

export class SharedHistogram {
  /** One for each class, and behind them the sum. */
  readonly #values: Float64Array

  /** The histogram lies at `byteOffset` of the memory. */
  constructor(memory: ArrayBufferLike, byteOffset = 0) {
    this.#values = new Float64Array(memory, byteOffset, classes + 1)
  }

  static readonly byteLength = (classes + 1) * Float64Array.BYTES_PER_ELEMENT

  /** Counts a latency that occurred so many times. */
  record(us: number, times = 1): void {
    const values = this.#values
    const at = classOf(us)
    values[at] = (values[at] ?? 0) + times
    values[classes] = (values[classes] ?? 0) + us * times
  }

  /** Forgets all. */
  clear(): void {
    this.#values.fill(0)
  }

  read(): HistogramReading {
    return new HistogramReading(this.#values.slice(0, classes), this.#values[classes] ?? 0)
  }
}

function classOf(us: number): number {
  if (us >= longestUs) return classes - 1
  const whole = us | 0
  if (whole < parts) return Math.max(0, whole)
  const doubling = 31 - Math.clz32(whole)
  return parts * (doubling - 1) + ((whole >> (doubling - 2)) & (parts - 1))
}
