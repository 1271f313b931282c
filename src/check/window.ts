/**
 * Why a part has no order, in few operations.
 *
 * An operation is kept or let go. A read that is let go is left out. A write that is let go is taken as one of unknown
 * outcome: it may have happened at any time after its call, or never. Both only make it easier to find an order, so that a
 * history which has one keeps it; hence, when there is none, the kept operations alone contradict each other, whatever became
 * of the others. The window is a set of kept operations of which none can be let go without an order coming about. No subset
 * of it is such a window; another window of the part may still have fewer operations.
 */
import type { Memory } from './configuration-set.js'
import type { Model, Operation } from './model.js'
import { Search, type SearchEnd, stepsAtOnce } from './search.js'
import { Timeline } from './timeline.js'

/** Operations of one part that has no order, as its search left them. */
export interface Part<Op extends Operation> {
  readonly key: string
  /** Those that were called before the last return of a candidate, in the order of their calls. */
  readonly operations: readonly Op[]
  /** Those of them that are no operations of unknown outcome: together they contradict each other. The likely ones come first. */
  readonly candidates: readonly Op[]
}

export interface Window<Op extends Operation> {
  /** In the order of their calls. */
  readonly operations: readonly Op[]
  /** The writes that were let go, as the kept ones need them (their outcome is unknown), each with the operation itself. */
  readonly letGo: ReadonlyMap<Op, Op>
  /** False if the search was given up before every operation of the window was shown to be needed. */
  readonly isMinimal: boolean
}

export interface WindowBounds {
  readonly memory: Memory
  /** Steps of the model for one trial, and for all of them. */
  readonly trialStepsMax: number
  readonly stepsMax: number
  isTimeUp(): boolean
}

export class WindowSearch<State, Op extends Operation> {
  readonly #part: Part<Op>
  readonly #model: Model<State, Op>
  readonly #bounds: WindowBounds
  /** Each write as one of unknown outcome. */
  readonly #freed = new Map<Op, Op>()
  #stepsLeft: number
  #isMinimal = true
  /** The size of the smallest set that a trial has shown to contradict itself. Each smaller one is a part of the larger ones. */
  #provenSize = 0

  constructor(part: Part<Op>, model: Model<State, Op>, bounds: WindowBounds) {
    this.#part = part
    this.#model = model
    this.#bounds = bounds
    this.#stepsLeft = bounds.stepsMax
    for (const operation of part.operations) {
      if (model.isRead?.(operation) !== true) this.#freed.set(operation, { ...operation, outcome: 'unknown' })
    }
  }

  /**
   * Finds how many of the candidates, from the first on, contradict each other together with what is kept. The last of
   * them is needed, so it is kept, and the others are the candidates of the next round. A trial that is given up counts as an
   * order, so that a window contradicts itself in any case.
   */
  *find(): Generator<void, Window<Op>> {
    let kept: readonly Op[] = []
    let candidates = this.#part.candidates
    for (;;) {
      const count: number = yield* this.#fewest(kept, candidates)
      if (count === 0) break
      if (this.#isOver) {
        this.#isMinimal = false
        kept = [...kept, ...candidates.slice(0, count)]
        break
      }
      kept = [...kept, candidates[count - 1]!]
      candidates = candidates.slice(0, count - 1)
    }
    const isKept = new Set(kept)
    const isMinimal =
      this.#isMinimal && (this.#provenSize === isKept.size || (yield* this.#contradict(isKept)))
    return {
      operations: this.#part.operations.filter((operation) => isKept.has(operation)),
      letGo: this.#letGo(isKept),
      isMinimal,
    }
  }

  get #isOver(): boolean {
    return this.#stepsLeft <= 0 || this.#bounds.isTimeUp()
  }

  /**
   * All candidates are known to be enough. Few often are, and small trials are quick: so the first ones are small, and each
   * of them has twice as many as the one before.
   */
  *#fewest(kept: readonly Op[], candidates: readonly Op[]): Generator<void, number> {
    let few = 0
    let enough = candidates.length
    for (let next = 0; few < enough && !this.#isOver; ) {
      const isEnough = yield* this.#contradict(new Set([...kept, ...candidates.slice(0, next)]))
      if (isEnough) enough = next
      else few = next + 1
      next = Math.min(2 * few, (few + enough) >> 1)
    }
    return enough
  }

  *#contradict(kept: ReadonlySet<Op>): Generator<void, boolean> {
    const operations = [...kept, ...this.#letGo(kept).keys()]
    const { memory, trialStepsMax, isTimeUp } = this.#bounds
    const search = new Search(new Timeline(operations, this.#model), this.#model, this.#part.key, memory)
    const stepsMax = Math.min(trialStepsMax, this.#stepsLeft)
    let end: SearchEnd = 'open'
    while (end === 'open' && search.steps < stepsMax && !isTimeUp()) {
      end = search.run(stepsAtOnce)
      yield
    }
    search.release()
    // Its preparation looks at each operation.
    this.#stepsLeft -= search.steps + operations.length
    if (end === 'open' || end === 'full') this.#isMinimal = false
    if (end === 'not-linearizable') this.#provenSize = kept.size
    return end === 'not-linearizable'
  }

  /** A write that was called after the last return of the kept operations explains none of them. */
  #letGo(kept: ReadonlySet<Op>): Map<Op, Op> {
    const letGo = new Map<Op, Op>()
    const last = lastReturn(kept)
    for (const operation of this.#part.operations) {
      if (operation.call > last) break
      const freed = kept.has(operation) ? undefined : this.#freed.get(operation)
      if (freed !== undefined) letGo.set(freed, operation)
    }
    return letGo
  }
}

/** The time of the last return among completed operations. */
export function lastReturn(operations: Iterable<Operation>): number {
  let last = Number.NEGATIVE_INFINITY
  for (const operation of operations) last = Math.max(last, operation.return as number)
  return last
}
