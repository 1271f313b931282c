/** A search in several threads, which share the fingerprints of the worlds that they have seen. */
import { availableParallelism } from 'node:os'
import {
  type Bounds,
  type Broken,
  type Figures,
  type Found,
  Lane,
  newShared,
  type Stop,
} from '../search/index.js'
import { threadsThatFit } from '../storage/index.js'
import { poolOf } from './pool.js'
import type { SearchShare } from './search-job.js'
import { whileBounded } from './while-bounded.js'

/** Worlds after which a search ends. */
export const searchStatesMax = 40_000_000

export interface SearchOptions {
  readonly bounds: Bounds
  /** The search ends after this time. Default: when all worlds were seen. */
  readonly seconds?: number
  /** Default: one for each processor. */
  readonly threads?: number
  /** Worlds after which the search ends. Default 40,000,000. */
  readonly statesMax?: number
  readonly progress?: (figures: Figures) => void
  /** Ends the search early. */
  readonly signal?: AbortSignal
}

export interface SearchResult extends Figures {
  readonly transitions: number
  /** `no`: all worlds within the bounds were seen. */
  readonly stop: Stop
  readonly broken: Broken | undefined
}

/** The number of worlds, once all were seen, is the same for any number of threads. */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const { bounds, statesMax = searchStatesMax } = options
  const lanes = Math.max(1, Math.min(options.threads ?? availableParallelism(), threadsThatFit()))
  const pool = poolOf<SearchShare, Found>('./search-job.js', lanes)
  const shared = newShared(statesMax)
  const watched = new Lane(shared)
  const threads = { figures: () => watched.figures, end: () => watched.end('asked') }
  try {
    const found = await whileBounded(options, threads, () =>
      Promise.all(Array.from({ length: lanes }, (_, lane) => pool.run({ bounds, shared, lane, lanes }))),
    )
    const transitions = found.reduce((sum, each) => sum + each.transitions, 0)
    // Threads that take the same level may each find a violation, by a way of the same length or by a shorter one.
    const [broken] = found
      .flatMap((each) => each.broken ?? [])
      .sort((one, other) => one.steps.length - other.steps.length)
    return { ...watched.figures, transitions, stop: watched.stop, broken }
  } finally {
    await pool.destroy()
  }
}
