/** Whether the rounds of two runs differ by more than the noise between rounds. */

export type Verdict = 'higher' | 'lower' | 'same'

/** How it was decided, for the table's reader. */
export type Method = 'mann-whitney' | 'ranges' | 'threshold'

export interface Decision {
  readonly verdict: Verdict
  readonly method: Method
  /** How often this verdict, other than `same`, would come of noise alone; `undefined` with one round. */
  readonly chance: number | undefined
}

/** Of medians; a smaller difference matters to nobody, however sure it is. */
export const leastChange = 0.01
/** Where rounds are too few for the test: their ranges must lie apart, and the medians so far. */
export const fewRoundsChange = 0.05
/** With one round on either side the noise is unknown: this is a guess at what a quiet machine stays under. */
export const oneRoundChange = 0.25
/** Of a Mann-Whitney test. */
export const significance = 0.05

export function decide(before: readonly number[], after: readonly number[]): Decision {
  const change = relativeChange(medianOf(before), medianOf(after))
  const direction = change > 0 ? 'higher' : 'lower'
  const verdict = (isBeyond: boolean): Verdict => (isBeyond ? direction : 'same')
  if (Math.min(before.length, after.length) === 1) {
    return { method: 'threshold', verdict: verdict(Math.abs(change) > oneRoundChange), chance: undefined }
  }
  // Of all ways to deal the values to the two runs, two set them wholly apart.
  const leastProbability = 2 / waysToDeal(before.length, after.length)
  if (leastProbability > significance) {
    const areApart = Math.min(...after) > Math.max(...before) || Math.max(...after) < Math.min(...before)
    const isBeyond = areApart && Math.abs(change) > fewRoundsChange
    return { method: 'ranges', verdict: verdict(isBeyond), chance: leastProbability }
  }
  const isBeyond = mannWhitney(before, after) <= significance && Math.abs(change) > leastChange
  return { method: 'mann-whitney', verdict: verdict(isBeyond), chance: significance }
}

/** Of the earlier value; from nothing to something is without bound. */
export function relativeChange(before: number, after: number): number {
  if (before === after) return 0
  return before === 0 ? Math.sign(after) * Number.POSITIVE_INFINITY : (after - before) / Math.abs(before)
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[sorted.length >> 1] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[(sorted.length >> 1) - 1] ?? upper)) / 2
}

/** Of both runs: with more values, the ways to deal them are too many to be counted, and nearly normal. */
const countedValuesMax = 40

/**
 * The two-sided probability of rank sums at least as uneven, if both runs drew from the same values: counted over all ways to
 * deal the ranks to the runs, so that equal values need no correction. Of many values by the normal distribution that
 * these ways come near to.
 */
export function mannWhitney(first: readonly number[], second: readonly number[]): number {
  const all = [...first, ...second]
  // Equal values share the mean of their ranks; doubled, so that it stays whole.
  const ranks = all.map((value) => {
    const below = all.filter((other) => other < value).length
    const equal = all.filter((other) => other === value).length
    return 2 * below + equal + 1
  })
  const rankSum = ranks.slice(0, first.length).reduce((sum, rank) => sum + rank, 0)
  const expected = first.length * (all.length + 1)
  if (all.length > countedValuesMax) return normalTail(ranks, first.length, rankSum - expected)
  const ways = waysToSum(ranks, first.length)
  let uneven = 0
  let total = 0
  for (const [sum, count] of ways) {
    total += count
    if (Math.abs(sum - expected) >= Math.abs(rankSum - expected)) uneven += count
  }
  return uneven / total
}

/** Two-sided, with the variance of these very ranks, so that equal ones count as such. */
function normalTail(ranks: readonly number[], drawn: number, distance: number): number {
  const { length } = ranks
  const mean = length + 1
  const squares = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0)
  const variance = (drawn * (length - drawn) * squares) / (length * (length - 1))
  if (variance === 0) return 1
  // Doubled ranks move by two: half a step towards the middle.
  const z = Math.max(0, Math.abs(distance) - 1) / Math.sqrt(variance)
  // Abramowitz and Stegun, 26.2.17: off by less than 1e-7 on either side.
  const t = 1 / (1 + 0.2316419 * z)
  const factors = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429]
  const series = factors.reduceRight((sum, factor) => (sum + factor) * t, 0)
  return (2 * series * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI)
}

/** In how many ways so many of the ranks make each sum. */
function waysToSum(ranks: readonly number[], count: number): Map<number, number> {
  const ways = Array.from({ length: count + 1 }, () => new Map<number, number>())
  ways[0]!.set(0, 1)
  for (const rank of ranks) {
    // Downwards, so that a rank is taken once at most.
    for (let taken = count; taken > 0; taken--) {
      for (const [sum, number] of ways[taken - 1]!) {
        ways[taken]!.set(sum + rank, (ways[taken]!.get(sum + rank) ?? 0) + number)
      }
    }
  }
  return ways[count]!
}

function waysToDeal(first: number, second: number): number {
  let ways = 1
  for (let at = 1; at <= first; at++) ways = (ways * (second + at)) / at
  return ways
}
