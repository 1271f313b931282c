/** Where reads are served: what callers choose, and what their reads are told there. */
import { quoted } from '../errors/index.js'
import type { Staleness } from '../transport/index.js'
import type { ReadFrom, Reading } from './readings.js'
import { invalid } from './refusals.js'

/** Linearizable: the read sees every write that was acknowledged before it was called, whichever node serves it. */
export interface ReadOptions {
  /** Default `leader`. */
  readonly from?: ReadFrom
  readonly stale?: false
}

/** The node answers at once from what it has applied, without asking anybody, and says how stale that may be. */
export interface StaleReadOptions {
  /** Default `any`. */
  readonly from?: ReadFrom
  readonly stale: true
}

/** The answer to a stale read, and how far it may lie behind. */
export interface Stale<Answer> extends Staleness {
  readonly answer: Answer
}

export const readOptionNames: readonly (keyof ReadOptions)[] = ['from', 'stale']

/** The reading by which the call of a read with these options is made. */
export function readingAt<Answer>(
  reading: Reading<Answer>,
  options: ReadOptions | StaleReadOptions,
): Reading<Answer | Stale<Answer>> {
  const { stale = false } = options
  if (typeof stale !== 'boolean') throw invalid('stale', 'true or false', quoted(stale))
  const from = checked(options.from ?? (stale ? 'any' : 'leader'))
  if (!stale) return from === 'leader' ? reading : linearizableAt(reading, from)
  return {
    ...reading,
    at: { from, isStale: true },
    read(answers) {
      const answer = reading.read(answers)
      const { index, ageMs } = answers.staleness
      return { answer, index, ageMs }
    },
  }
}

/** Reads that any node may serve are made often: each reading that they need is made once. */
const atAny = new WeakMap<object, unknown>()

function linearizableAt<Answer>(reading: Reading<Answer>, from: ReadFrom): Reading<Answer> {
  const known = from === 'any' ? atAny.get(reading) : undefined
  if (known !== undefined) return known as Reading<Answer>
  const made = { ...reading, at: { from, isStale: false } }
  if (from === 'any') atAny.set(reading, made)
  return made
}

function checked(from: ReadFrom): ReadFrom {
  if (from === 'leader' || from === 'any') return from
  if (Number.isSafeInteger(from) && from > 0) return from
  throw invalid('from', "'leader', 'any' or the id of a node", quoted(from))
}
