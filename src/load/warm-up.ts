/** Until what runs is compiled, which each node's thread does for itself: five of them take so long on two cores. */
const warmUpSecondsMax = 8

/** How long a new cluster, or a peer that V8 runs, is under load before `seconds` of it are measured. */
export function warmUpSecondsFor(seconds: number): number {
  return Math.min(warmUpSecondsMax, 4 * seconds)
}
