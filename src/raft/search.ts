/** Binary search in whatever is in order. The key-value store searches its keys by loops of its own, which are hot. */

/** How many of `count` places hold, where all that hold come before all that do not. */
export function countOfLeading(count: number, holds: (place: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) low = middle + 1
    else high = middle
  }
  return low
}
