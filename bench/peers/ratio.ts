/** The arithmetic of a comparison: how far the rounds spread, and whether their median meets a target. */
import { medianOf } from '../../src/report/index.js'

export type Target = { readonly atLeast: number } | { readonly atMost: number }

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** `undefined` when no round has a value. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined
  return { min: Math.min(...values), median: medianOf(values), max: Math.max(...values) }
}

/** `undefined` where it would say nothing: of nothing, or to nothing. */
export function ratioOf(ours: number | undefined, theirs: number | undefined): number | undefined {
  if (ours === undefined || theirs === undefined) return undefined
  const ratio = ours / theirs
  return Number.isFinite(ratio) ? ratio : undefined
}

/** The median decides: one lucky or unlucky round does not. */
export function isMet(target: Target, { median }: Spread): boolean {
  return 'atLeast' in target ? median >= target.atLeast : median <= target.atMost
}
