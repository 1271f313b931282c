/** Seeded chance. Each part of a run has dice of its own, so that one more throw here changes nothing there. */
import { Random } from '../raft/index.js'

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
} as const

export class Dice extends Random {
  /** From `low`, included, to `high`, excluded. */
  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  /** Mostly little, now and then several times the mean. */
  around(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }

  pick<T>(choices: readonly [T, ...T[]]): T
  pick<T>(choices: readonly T[]): T | undefined
  pick<T>(choices: readonly T[]): T | undefined {
    return choices[this.below(choices.length)]
  }

  /** In a random order; the original stays as it is. */
  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items]
    const shuffled: T[] = []
    while (left.length > 0) shuffled.push(...left.splice(this.below(left.length), 1))
    return shuffled
  }
}
