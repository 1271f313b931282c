/** Work that needs only a processor, spread over all processors. Only this file imports piscina. */
import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { RaftError } from '../errors/index.js'
import { addressSpaceLeft, reserveMib, threadMib, threadsThatFit } from '../storage/index.js'
import { addSweeps, noSweep, type SeedRange, type SweepResult } from './sweep.js'

/**
 * Seeds of one job: so many that the cost of sending the job is small, and so few that all threads end at about the
 * same time.
 */
const seedsPerJob = 8

export interface SweepOptions {
  /** The first seed. Default 1. */
  readonly from?: number
  /** How many seeds, one after the other. */
  readonly seeds: number
  /**
   * Threads that work on the seeds, fewer where the address space does not hold them. Default: one for each processor.
   */
  readonly threads?: number
  /** Called with the sum so far, each time a job is done. */
  readonly progress?: (sum: SweepResult) => void
  /** Ends the sweep early. The result is the sum of the jobs done by then. */
  readonly signal?: AbortSignal
}

/** A pool of this many threads, all of which run the job of the file. */
export function poolOf<Task, Result>(file: string, threads: number): Piscina<Task, Result> {
  checkThreadFits()
  const filename = new URL(file, import.meta.url).href
  return new Piscina<Task, Result>({ filename, minThreads: threads, maxThreads: Math.max(1, threads) })
}

/** A thread for which there is no address space ends the whole process, so the pool looks first. */
function checkThreadFits(): void {
  if (threadsThatFit() > 0) return
  throw new RaftError('INVALID_OPTION', {
    option: 'threads',
    expected: `${reserveMib + threadMib} MiB of address space for one (raise the limit with ulimit -v)`,
    actual: `the ${Math.max(0, Math.floor(addressSpaceLeft() / 2 ** 20))} that are left`,
  })
}

/** Simulates each seed of a range. The result is the same for any number of threads. */
export async function sweep(options: SweepOptions): Promise<SweepResult> {
  const { from = 1, seeds, threads = availableParallelism(), progress, signal } = options
  const lanes = Math.min(threads, threadsThatFit(), Math.ceil(seeds / seedsPerJob))
  const pool = poolOf<SeedRange, SweepResult>('./sweep-job.js', lanes)
  const end = from + seeds
  let next = from
  let sum = noSweep
  // Each lane takes its next range once it is done with one, so that an endless sweep needs no list of all its jobs.
  const work = async (): Promise<void> => {
    while (next < end && signal?.aborted !== true) {
      const range = { from: next, count: Math.min(seedsPerJob, end - next) }
      next += range.count
      const part = await pool.run(range, signal === undefined ? {} : { signal })
      sum = addSweeps(sum, part)
      progress?.(sum)
    }
  }
  try {
    await Promise.all(Array.from({ length: lanes }, work))
  } catch (error) {
    if (signal?.aborted !== true) throw error
  } finally {
    await pool.destroy()
  }
  return sum
}
