/** An item of a round; `at` is its place in the round, from 0. */
export interface Turn<T> {
  readonly item: T
  readonly round: number
  readonly at: number
}

/**
 * All items in turn, round by round, so that whatever else the machine does hits all of them alike. Back and forth,
 * each second round runs backwards, so that a machine that slows down favours no item.
 */
export function* turnsOf<T>(
  items: readonly T[],
  rounds: number,
  direction: 'forth' | 'back and forth' = 'forth',
): Generator<Turn<T>> {
  for (let round = 0; round < rounds; round++) {
    const isBackwards = direction === 'back and forth' && round % 2 === 1
    for (const [at, item] of (isBackwards ? items.toReversed() : items).entries()) yield { item, round, at }
  }
}
