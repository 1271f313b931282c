/** Work that takes a processor and nothing else, spread over the processors. The only importer of piscina. */
import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { RaftError } from '../errors/index.js'
import { addressSpaceLeft, reserveMib, threadMib, threadsThatFit } from '../storage/index.js'
import { addSweeps, noSweep, type SeedRange, type SweepResult } from './sweep.js'

/** Seeds of one job: enough that its way to the thread costs nothing, few enough that all threads end together. */
const seedsPerJob = 8

export interface SweepOptions {
  /** The first seed. Default 1. */
  readonly from?: number
  /** How many seeds, one after the other. */
  readonly seeds: number
  /** Threads that work on them, as far as there is address space for them. Default: one a processor. */
  readonly threads?: number
  /** Called whenever a part is done, with the sum so far. */
  readonly progress?: (sum: SweepResult) => void
  /** Ends the sweep early; what is done by then is the result. */
  readonly signal?: AbortSignal
}

/** A pool of so many threads, all of which run the job of that file. */
export function poolOf<Task, Result>(file: string, threads: number): Piscina<Task, Result> {
  checkThreadFits()
  const filename = new URL(file, import.meta.url).href
  return new Piscina<Task, Result>({ filename, minThreads: threads, maxThreads: Math.max(1, threads) })
}

/** A thread that is refused address space ends the whole process, so the pool asks first. */
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
  // Each lane asks for the next range when it is done with one: a sweep without end needs no list of its jobs.
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
