/** The arithmetic of a comparison: how far the rounds spread, and whether their median meets a target. */

export type Target = { readonly atLeast: number } | { readonly atMost: number }

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** `undefined` when no round has a value. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const ascending = [...values].sort((a, b) => a - b)
  const middle = (ascending.length - 1) / 2
  const low = ascending[Math.floor(middle)]
  const high = ascending[Math.ceil(middle)]
  const min = ascending.at(0)
  const max = ascending.at(-1)
  if (low === undefined || high === undefined || min === undefined || max === undefined) return undefined
  return { min, median: (low + high) / 2, max }
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
