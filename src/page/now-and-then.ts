/** Signals that follow others slowly: what changes ten times a second need not be drawn, or read out, as often. */
import { effect, type ReadonlySignal, signal } from '@preact/signals'

/** Follows the source for as long as the page lives, at most once in so many milliseconds. */
export function nowAndThen<Value>(source: ReadonlySignal<Value>, everyMs: number): ReadonlySignal<Value> {
  const slow = signal(source.peek())
  let takenMs = Number.NEGATIVE_INFINITY
  effect(() => {
    void source.value
    const take = (): void => {
      takenMs = performance.now()
      slow.value = source.peek()
    }
    const timer = setTimeout(take, Math.max(0, takenMs + everyMs - performance.now()))
    return () => clearTimeout(timer)
  })
  return slow
}
