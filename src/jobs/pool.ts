/** Work that takes a processor and nothing else, spread over the processors. The only importer of piscina. */
import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { addSweeps, noSweep, type SeedRange, type SweepResult } from './sweep.js'

/** Seeds of one job: enough that its way to the thread costs nothing, few enough that all threads end together. */
const seedsPerJob = 8

export interface SweepOptions {
  /** The first seed. Default 1. */
  readonly from?: number
  /** How many seeds, one after the other. */
  readonly seeds: number
  /** Threads that work on them. Default: one a processor. */
  readonly threads?: number
  /** Called whenever a part is done, with the sum so far. */
  readonly progress?: (sum: SweepResult) => void
  /** Ends the sweep early; what is done by then is the result. */
  readonly signal?: AbortSignal
}

/** Simulates each seed of a range. The result is the same for any number of threads. */
export async function sweep(options: SweepOptions): Promise<SweepResult> {
  const { from = 1, seeds, threads = availableParallelism(), progress, signal } = options
  const ranges = rangesOf(from, seeds)
  const pool = new Piscina<SeedRange, SweepResult>({
    filename: new URL('./sweep-job.js', import.meta.url).href,
    minThreads: Math.min(threads, ranges.length),
    maxThreads: threads,
  })
  let sum = noSweep
  try {
    const run = async (range: SeedRange): Promise<void> => {
      const part = await pool.run(range, signal === undefined ? {} : { signal })
      sum = addSweeps(sum, part)
      progress?.(sum)
    }
    await Promise.all(ranges.map(run))
  } catch (error) {
    if (signal?.aborted !== true) throw error
  } finally {
    await pool.destroy()
  }
  return sum
}

function rangesOf(from: number, seeds: number): SeedRange[] {
  const ranges: SeedRange[] = []
  for (let done = 0; done < seeds; done += seedsPerJob) {
    ranges.push({ from: from + done, count: Math.min(seedsPerJob, seeds - done) })
  }
  return ranges
}
