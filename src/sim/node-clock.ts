/** A node's own clock: a little slow or fast, as clocks are, and set by the skews that stand at the node. */
import { type Dice, SkewedClock, type StandingFault } from '../faults/index.js'
import type { World } from './world.js'

export class NodeClock {
  readonly #world: World
  readonly #tickMs: number
  /** How long one of its milliseconds takes. */
  readonly #pace: number
  readonly #skewed: SkewedClock
  #isSet = false

  /** `drift`: by how much of itself it may be slow or fast. */
  constructor(world: World, tickMs: number, drift: number, dice: Dice) {
    this.#world = world
    this.#tickMs = tickMs
    this.#pace = dice.between(1 - drift, 1 + drift)
    this.#skewed = new SkewedClock(() => world.time.nowMs / this.#pace)
  }

  set(standing: readonly StandingFault[]): void {
    this.#isSet = standing.some(({ fault }) => fault.type === 'skew')
    this.#skewed.set(standing)
  }

  /** Milliseconds that have passed by it. */
  get nowMs(): number {
    if (this.#isSet) this.#world.counts.skewedReadings++
    return this.shownMs
  }

  /** As `nowMs`, without the offsets that stand at the node. */
  get steadyMs(): number {
    return this.#skewed.steady()
  }

  /** Milliseconds that have passed by it, for those who watch the node. */
  get shownMs(): number {
    return this.#skewed.now()
  }

  /** The same in ticks of the protocol. */
  get nowTicks(): number {
    return this.nowMs / this.#tickMs
  }

  /** Microseconds of virtual time from one tick to the next. */
  get tickUs(): number {
    return (1000 * this.#tickMs * this.#pace) / (1 + this.#skewed.drift)
  }
}
