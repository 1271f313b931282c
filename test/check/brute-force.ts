/** The definition of linearizability, word for word: all orders are tried, and nothing is remembered. */
import type { KeyValueOperation } from '../../src/check/index.js'

export function hasOrder(history: readonly KeyValueOperation[]): boolean {
  const open = history.filter(({ outcome }) => outcome !== 'fail')
  return canGoOn(open, new Map())
}

function canGoOn(open: readonly KeyValueOperation[], store: ReadonlyMap<string, string>): boolean {
  if (open.every(({ outcome }) => outcome === 'unknown')) return true
  return open.some((operation) => {
    // One that returned before this one was called comes before it.
    const isTooEarly = open.some(
      (other) => other !== operation && other.outcome === 'ok' && Number(other.return) < operation.call,
    )
    const after = isTooEarly ? undefined : carriedOut(operation, store)
    return (
      after !== undefined &&
      canGoOn(
        open.filter((other) => other !== operation),
        after,
      )
    )
  })
}

/** The store after the operation; `undefined` if the client was told something else. */
function carriedOut(
  operation: KeyValueOperation,
  store: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> | undefined {
  const { key, outcome } = operation
  const held = store.get(key)
  const told = (answer: unknown, result: unknown): boolean => outcome === 'unknown' || answer === result
  const holding = (value: string): ReadonlyMap<string, string> => new Map(store).set(key, value)
  if (operation.op === 'get') return told(held ?? null, operation.result) ? store : undefined
  if (operation.op === 'put') return holding(operation.value)
  if (operation.op === 'append') return holding(`${held ?? ''}${operation.value}`)
  if (operation.op === 'cas') {
    const swaps = (held ?? null) === operation.expected
    if (!told(swaps, operation.result)) return undefined
    return swaps ? holding(operation.value) : store
  }
  const { result } = operation
  if (typeof result === 'boolean' && !told(held !== undefined, result)) return undefined
  return new Map([...store].filter(([name]) => name !== key))
}
