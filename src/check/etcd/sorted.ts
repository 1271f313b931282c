/** A search in a sorted list. */

/** The first place from which on the condition holds, or the length of the list. It holds for no value before that place. */
export function firstPlace<Value>(sorted: readonly Value[], holds: (value: Value) => boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(sorted[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
