/** Seeds for the parts of a run. Each part has dice of its own, so that one more throw here changes nothing there. */

/** A seed for one part of a run: equal for equal names, unrelated otherwise. */
export function deriveSeed(seed: number, ...names: readonly number[]): number {
  let mixed = seed >>> 0
  for (const name of names) {
    mixed = Math.imul(mixed ^ (name + 0x9e3779b9), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    mixed ^= mixed >>> 16
  }
  return mixed >>> 0
}

/** Names the parts of a run. */
export const diceOf = {
  plan: 1,
  network: 2,
  disk: 3,
  node: 4,
  raft: 5,
  client: 6,
  nemesis: 7,
  faults: 8,
  operator: 9,
  interrupter: 10,
  swarm: 11,
} as const
