/** Sorted lists: a search in one, and a sort that other work can interrupt. */

/** Values that a step of a sort or of a merge goes through. */
const valuesAtOnce = 256

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

/** The values in their order, equal ones as they came. Short runs are sorted first, and then merged two by two. */
export function* sortedInTurns<Value>(
  values: readonly Value[],
  compare: (one: Value, other: Value) => number,
): Generator<void, readonly Value[]> {
  let runs: Value[][] = []
  for (let at = 0; at < values.length; at += valuesAtOnce) {
    runs.push(values.slice(at, at + valuesAtOnce).sort(compare))
    yield
  }
  while (runs.length > 1) {
    const merged: Value[][] = []
    for (let at = 0; at < runs.length; at += 2)
      merged.push(yield* mergedInTurns(runs[at]!, runs[at + 1] ?? [], compare))
    runs = merged
  }
  return runs[0] ?? []
}

function* mergedInTurns<Value>(
  one: readonly Value[],
  other: readonly Value[],
  compare: (one: Value, other: Value) => number,
): Generator<void, Value[]> {
  const merged: Value[] = []
  let [left, right] = [0, 0]
  while (left < one.length || right < other.length) {
    const isFromOne = right === other.length || (left < one.length && compare(one[left]!, other[right]!) <= 0)
    merged.push(isFromOne ? one[left++]! : other[right++]!)
    if (merged.length % valuesAtOnce === 0) yield
  }
  return merged
}
