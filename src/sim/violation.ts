/** A property that did not hold. The first one ends a run: what follows from it tells nothing new. */
import type { Tracer } from './tracer.js'
import type { VirtualTime } from './virtual-time.js'

export interface Violation {
  /** Which property: `election safety`, `committed means durable`, … */
  readonly rule: string
  /** What was found instead. */
  readonly detail: string
  /** Virtual milliseconds since the beginning of the run. */
  readonly atMs: number
  /** What happened last, oldest first. */
  readonly lastHappenings: readonly string[]
}

/** Raised out of a scenario; `simulate` hands the violation back instead. */
export class SimulationViolation extends Error {
  override readonly name = 'SimulationViolation'
  readonly violation: Violation

  constructor(violation: Violation) {
    const { rule, detail, atMs, lastHappenings } = violation
    super(`${rule}: ${detail}, at ${atMs.toFixed(3)} ms\n${lastHappenings.join('\n')}`)
    this.violation = violation
  }
}

/** Where all checks report. Not an exception, because a driver takes any for a failure of its own node. */
export class Findings {
  readonly #time: VirtualTime
  readonly #tracer: Tracer
  first: Violation | undefined

  constructor(time: VirtualTime, tracer: Tracer) {
    this.#time = time
    this.#tracer = tracer
  }

  report(rule: string, detail: string): void {
    if (this.first !== undefined) return
    this.first = { rule, detail, atMs: this.#time.nowMs, lastHappenings: this.#tracer.last() }
  }
}
