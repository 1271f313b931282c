/** Values made of frames that are equal mostly, although each frame is another object. */
import { computed, type ReadonlySignal } from '@preact/signals'

/**
 * The value that `make` makes, as JSON knows it: the same object as before while nothing in it has changed, so that only
 * a frame in which something changed draws anything anew.
 */
export function steady<Value>(make: () => Value): ReadonlySignal<Value> {
  // JSON has no word for a value that is absent.
  const text = computed(() => JSON.stringify([make()]))
  return computed(() => (JSON.parse(text.value) as [Value])[0])
}
