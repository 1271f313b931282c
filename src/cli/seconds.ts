/** Seconds as results of long runs tell them. */

/** Seconds since a time of `performance.now`, to a tenth. */
export function secondsSince(startMs: number): number {
  return toTenth((performance.now() - startMs) / 1000)
}

export function toTenth(seconds: number): number {
  return Math.round(10 * seconds) / 10
}
