/** Shrinking in a thread of its own, so that the caller's thread stays free for signals and for the time meanwhile. */
import { Bound, type Failure, type Rerun, type ShrinkFigures, type Shrunk } from '../shrink/index.js'
import { poolOf } from './pool.js'
import type { ShrinkTask } from './shrink-job.js'

const progressMs = 500

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
  const { seed, seconds, progress, signal } = options
  const pool = poolOf<ShrinkTask, Shrunk | undefined>('./shrink-job.js', 1)
  const bound = new Bound()
  const end = (): void => bound.end()
  const timer = setTimeout(end, 1000 * seconds)
  const ticker = setInterval(() => progress(bound.figures), progressMs)
  signal.addEventListener('abort', end)
  if (signal.aborted) end()
  try {
    return await pool.run({ seed, memory: bound.memory })
  } finally {
    clearTimeout(timer)
    clearInterval(ticker)
    signal.removeEventListener('abort', end)
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
