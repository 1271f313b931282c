/** Delta debugging: the parts of a list that are not needed are left out, large parts first. */
import type { Bound } from './bound.js'

/**
 * Returns a list that still fails, and of which no single item can be left out. `failing` answers for a shorter list with
 * those of its items that its failure needs at most, and with `undefined` if the list does not fail. Once the bound
 * is reached, the shortest list so far is returned.
 */
export function minimized<T>(
  items: readonly T[],
  failing: (items: readonly T[]) => readonly T[] | undefined,
  bound: Bound,
): readonly T[] {
  let kept = items
  let size = Math.ceil(kept.length / 2)
  while (size >= 1 && kept.length > 0 && !bound.isOver()) {
    const before = kept.length
    kept = withoutParts(kept, size, failing, bound)
    // Single items are tried again until all of them are needed: one may be needed only for another that is gone.
    if (size > 1) size = Math.min(Math.ceil(size / 2), Math.ceil(kept.length / 2))
    else if (kept.length === before) break
  }
  return kept
}

/** The last part goes first: what comes late depends on what comes early. */
function withoutParts<T>(
  items: readonly T[],
  size: number,
  failing: (items: readonly T[]) => readonly T[] | undefined,
  bound: Bound,
): readonly T[] {
  let kept = items
  for (let end = kept.length; end > 0 && !bound.isOver(); end = Math.min(end - size, kept.length)) {
    const shorter = failing([...kept.slice(0, Math.max(0, end - size)), ...kept.slice(end)])
    if (shorter !== undefined) kept = shorter
  }
  return kept
}
