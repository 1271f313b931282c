/** A shrunk failure that can be run again: on a program without the mistake, the same acts or the same world break no rule. */
import { type ClusterSize, type Violation, wordsOf } from '../search/index.js'
import { type Act, perform } from './acts.js'
import type { Shrunk } from './shrink.js'
import type { WholeAct } from './whole-acts.js'
import { performWhole } from './whole-scene.js'
import { wholeWordsOf } from './whole-words.js'
import type { WholeWorld } from './whole-world.js'
import { failedWorld, type PlanChange } from './worlds.js'

interface Origin {
  readonly seed: number
  /** The rule that was broken when the failure was found. */
  readonly found: Violation
}

/** The acts of a short list. */
export interface FailureList extends Omit<Origin, 'seed'> {
  readonly type: 'list'
  /** A failure that a search has found has no seed. */
  readonly seed: number | undefined
  readonly size: ClusterSize
  readonly acts: readonly Act[]
}

/** The acts of a short list of whole nodes. */
export interface FailureWhole extends Origin {
  readonly type: 'whole'
  readonly world: Omit<WholeWorld, 'seed'>
  readonly acts: readonly WholeAct[]
}

/** The world of a seed, where no acts break a rule. */
export interface FailureWorld extends Origin {
  readonly type: 'world'
  readonly change: PlanChange
}

export type Failure = FailureList | FailureWhole | FailureWorld

/** A run of a failure. */
export interface Rerun {
  /** `undefined`: no rule was broken. */
  readonly broken: Violation | undefined
  /** The acts that were taken, in words. */
  readonly told: readonly string[]
  /** Acts that were skipped: no node sent their message, or their node did not lead. */
  readonly skipped: number
}

export function failureOf({ seed, found, world, list }: Shrunk): Failure {
  const { rule, detail } = found
  const origin = { seed, found: { rule, detail } }
  if (list === undefined) return { type: 'world', ...origin, change: world.change }
  if ('size' in list) return { type: 'list', ...origin, size: list.size, acts: list.acts }
  const { seed: _, ...ofWhole } = list.world
  return { type: 'whole', ...origin, world: ofWhole, acts: list.acts }
}

export function rerun(failure: Failure): Rerun {
  if (failure.type === 'world') {
    const world = failedWorld(failure.seed, failure.change)
    const broken = world && { rule: world.rule, detail: world.detail }
    return { broken, told: [], skipped: 0 }
  }
  if (failure.type === 'whole') {
    const { broken, played } = performWhole({ seed: failure.seed, ...failure.world }, failure.acts)
    return rerunOf(failure.acts, broken, played, played.map(wholeWordsOf))
  }
  const { broken, played } = perform(failure.size, failure.acts)
  return rerunOf(
    failure.acts,
    broken,
    played,
    played.map(({ step }) => wordsOf(step)),
  )
}

function rerunOf<T>(
  acts: readonly T[],
  broken: Violation | undefined,
  played: readonly { readonly act: T }[],
  told: readonly string[],
): Rerun {
  const last = played.at(-1)
  const reached = last === undefined ? 0 : acts.indexOf(last.act) + 1
  return { broken, told, skipped: (broken === undefined ? acts.length : reached) - played.length }
}
