/** Shrinking in a thread of its own, so that the caller's thread stays free for signals and for the time meanwhile. */
import { Bound, type Failure, type Rerun, type ShrinkFigures, type Shrunk } from '../shrink/index.js'
import { poolOf } from './pool.js'
import type { ShrinkTask } from './shrink-job.js'
import { whileBounded } from './while-bounded.js'

export interface ShrinkOptions {
  readonly seed: number
  /** No further run begins after this time. */
  readonly seconds: number
  readonly progress: (figures: ShrinkFigures) => void
  /** Ends the shrinking early. The result is the smallest by then. */
  readonly signal: AbortSignal
}

/** `undefined`: the seed keeps all promises. */
export async function shrink(options: ShrinkOptions): Promise<Shrunk | undefined> {
  const { seed } = options
  const pool = poolOf<ShrinkTask, Shrunk | undefined>('./shrink-job.js', 1)
  const bound = new Bound()
  const threads = { figures: () => bound.figures, end: () => bound.end() }
  try {
    return await whileBounded(options, threads, () => pool.run({ seed, memory: bound.memory }))
  } finally {
    await pool.destroy()
  }
}

/** Runs a shrunk failure again. The promise rejects when the signal aborts. */
export async function rerun(failure: Failure, signal: AbortSignal): Promise<Rerun> {
  const pool = poolOf<Failure, Rerun>('./rerun-job.js', 1)
  try {
    return await pool.run(failure, { signal })
  } finally {
    await pool.destroy()
  }
}
