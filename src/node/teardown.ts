/** Ends what has several parts. */

/**
 * Takes every step in order, whatever a step before it throws. Returns what was thrown. A step that ends at once is
 * followed at once, so that nobody finds a part that is closed beside one that is open.
 */
export async function takeAll(steps: readonly (() => unknown)[]): Promise<unknown[]> {
  const thrown: unknown[] = []
  for (const step of steps) {
    try {
      const ending = step()
      if (ending instanceof Promise) await ending
    } catch (error) {
      thrown.push(error)
    }
  }
  return thrown
}
