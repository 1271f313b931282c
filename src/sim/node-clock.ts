/** A node's own clock: a little slow or fast, as clocks are. */
import type { Dice } from '../faults/index.js'
import type { VirtualTime } from './virtual-time.js'

export class NodeClock {
  readonly #time: VirtualTime
  readonly #tickMs: number
  /** How long one of its milliseconds takes. */
  readonly #pace: number

  /** `drift`: by how much of itself it may be slow or fast. */
  constructor(time: VirtualTime, tickMs: number, drift: number, dice: Dice) {
    this.#time = time
    this.#tickMs = tickMs
    this.#pace = dice.between(1 - drift, 1 + drift)
  }

  /** Milliseconds that have passed by it. */
  get nowMs(): number {
    return this.#time.nowMs / this.#pace
  }

  /** The same in ticks of the protocol. */
  get nowTicks(): number {
    return this.nowMs / this.#tickMs
  }

  /** Microseconds of virtual time from one tick to the next. */
  get tickUs(): number {
    return 1000 * this.#tickMs * this.#pace
  }
}
