/** Chance for faults: a seeded generator with a few more questions. */
import { Random } from '../raft/index.js'

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
