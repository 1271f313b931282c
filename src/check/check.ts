/** Whether a history is linearizable: each part is searched by itself, all of them in turn. */
import { checkOptions, quoted, RaftError } from '../errors/index.js'
import { Memory } from './configuration-set.js'
import { checkBound, checkClock } from './given.js'
import { type Model, type Operation, outcomes } from './model.js'
import { Search, type SearchEnd, stepsAtOnce } from './search.js'
import { Timeline } from './timeline.js'
import { lastReturn, type Part, type Window, WindowSearch } from './window.js'
import { type Explanation, explained } from './words.js'

export type Verdict = 'linearizable' | 'not-linearizable' | 'unknown'

export interface CheckOptions {
  /** Steps of the model after which a check ends without an answer. Default: 100,000,000. */
  readonly stepsMax?: number
  /**
   * The bytes that the search may keep beside the history. A state counts by its text, or by that of `identityOf`: what an
   * object takes beyond that is not known. Default: 256 MiB.
   */
  readonly bytesMax?: number
  /** Asked every few thousand steps, or fewer where states are long texts; `true` ends the check without an answer. Default: the check takes its time. */
  readonly isTimeUp?: () => boolean
}

/** A part of the history for which there is no order. */
export interface Failure<Op extends Operation> extends Explanation<Op> {
  readonly key: string
  /** Operations that contradict each other, whatever became of the others. */
  readonly window: readonly Op[]
  /** Whether it is known that each of them is needed. */
  readonly isMinimal: boolean
}

/** A part of the history about which nothing is known. */
export interface Undecided {
  readonly key: string
  readonly operations: number
  readonly why: 'steps' | 'memory' | 'time'
}

export interface CheckResult<Op extends Operation> {
  /** `not-linearizable` as soon as one part has no order; `linearizable` only if all parts have one. */
  readonly verdict: Verdict
  readonly operations: number
  /** Parts of the history. */
  readonly keys: number
  /** Parts that have no order. */
  readonly failedKeys: readonly string[]
  /** The first of them, explained. */
  readonly failures: readonly Failure<Op>[]
  readonly undecided: readonly Undecided[]
}

const usualStepsMax = 100_000_000
const usualBytesMax = 256 << 20
/** A part that takes longer waits for the others, and is then given more. */
const stepsAtFirst = 1 << 17
const explainedMax = 10
const windowStepsMax = 40_000_000
const trialStepsMax = 1_000_000

/** Throws a `RaftError` for an operation or an option that is none. */
export function checkHistory<State, Op extends Operation>(
  operations: Iterable<Op>,
  model: Model<State, Op>,
  options: CheckOptions = {},
): CheckResult<Op> {
  const turns = checkInTurns(operations, model, options)
  for (;;) {
    const turn = turns.next()
    if (turn.done === true) return turn.value
  }
}

/** The same in turns of a few milliseconds: between two of them a program can do other things, or give up. */
export function* checkInTurns<State, Op extends Operation>(
  operations: Iterable<Op>,
  model: Model<State, Op>,
  options: CheckOptions = {},
): Generator<void, CheckResult<Op>> {
  checkOptions('a check', options, ['stepsMax', 'bytesMax', 'isTimeUp'])
  checkBound('stepsMax', options.stepsMax)
  checkBound('bytesMax', options.bytesMax)
  checkClock(options.isTimeUp)
  const history = new Map<string, Op[]>()
  let count = 0
  for (const operation of operations) {
    checkOperation(operation, count++)
    const key = model.keyOf?.(operation) ?? ''
    const part = history.get(key)
    if (part === undefined) history.set(key, [operation])
    else part.push(operation)
  }
  return yield* new Check(history, model, options).run(count)
}

class Check<State, Op extends Operation> {
  readonly #history: ReadonlyMap<string, readonly Op[]>
  readonly #model: Model<State, Op>
  readonly #memory: Memory
  readonly #isTimeUp: () => boolean
  #stepsLeft: number
  readonly #failed: Part<Op>[] = []
  readonly #undecided: Undecided[] = []
  /** Parts for which the memory was not enough while other parts held some of it. */
  readonly #full: string[] = []

  constructor(
    history: ReadonlyMap<string, readonly Op[]>,
    model: Model<State, Op>,
    { stepsMax = usualStepsMax, bytesMax = usualBytesMax, isTimeUp = () => false }: CheckOptions,
  ) {
    this.#history = history
    this.#model = model
    this.#memory = new Memory(bytesMax)
    this.#stepsLeft = stepsMax
    this.#isTimeUp = isTimeUp
  }

  *run(operations: number): Generator<void, CheckResult<Op>> {
    let open: Iterable<PartSearch<State, Op>> = this.#begun()
    for (let steps = stepsAtFirst; ; steps *= 4) {
      const left: PartSearch<State, Op>[] = []
      for (const part of open) {
        const isDone = yield* this.#goOn(part, steps)
        if (!isDone) left.push(part)
      }
      if (left.length === 0) break
      open = left
    }
    for (const key of this.#full) yield* this.#goOn(this.#prepared(key), Number.POSITIVE_INFINITY)
    const failures: Failure<Op>[] = []
    for (const part of this.#failed.slice(0, explainedMax)) failures.push(yield* this.#explain(part))
    return {
      verdict:
        this.#failed.length > 0
          ? 'not-linearizable'
          : this.#undecided.length > 0
            ? 'unknown'
            : 'linearizable',
      operations,
      keys: this.#history.size,
      failedKeys: this.#failed.map(({ key }) => key),
      failures,
      undecided: this.#undecided,
    }
  }

  /** Each part is prepared when its turn comes: most are done in that turn. */
  *#begun(): Generator<PartSearch<State, Op>> {
    for (const [key, operations] of this.#history) {
      if (this.#isTimeUp()) {
        this.#undecided.push({ key, operations: operations.length, why: 'time' })
        continue
      }
      yield this.#prepared(key)
    }
  }

  #prepared(key: string): PartSearch<State, Op> {
    const timeline = new Timeline(this.#history.get(key) ?? [], this.#model)
    return { key, timeline, search: new Search(timeline, this.#model, key, this.#memory) }
  }

  /** True when the part needs no further turn. */
  *#goOn({ key, timeline, search }: PartSearch<State, Op>, steps: number): Generator<void, boolean> {
    const stepsEnd = search.steps + steps
    let end: SearchEnd = 'open'
    while (end === 'open' && search.steps < stepsEnd) {
      const before = search.steps
      if (this.#stepsLeft <= 0 || this.#isTimeUp()) break
      end = search.run(Math.min(stepsAtOnce, this.#stepsLeft))
      this.#stepsLeft -= search.steps - before
      yield
    }
    if (end === 'open' && search.steps >= stepsEnd) return false
    search.release()
    if (end === 'full' && !this.#memory.isUnused) {
      this.#full.push(key)
      return true
    }
    if (end === 'not-linearizable') this.#failed.push(partOf(key, timeline, search.furthestReturn))
    if (end === 'open' || end === 'full') {
      const why = end === 'full' ? 'memory' : this.#stepsLeft <= 0 ? 'steps' : 'time'
      this.#undecided.push({ key, operations: this.#history.get(key)?.length ?? 0, why })
    }
    return true
  }

  *#explain(part: Part<Op>): Generator<void, Failure<Op>> {
    const { key } = part
    const bounds = { memory: this.#memory, trialStepsMax, stepsMax: windowStepsMax, isTimeUp: this.#isTimeUp }
    const window: Window<Op> = yield* new WindowSearch(part, this.#model, bounds).find()
    const { operations, isMinimal } = window
    const all = this.#history.get(key) ?? []
    const { memory, isTimeUp } = bounds
    const explanation = yield* explained(window, { key, all, model: this.#model, memory, isTimeUp })
    return { key, window: operations, isMinimal, ...explanation }
  }
}

interface PartSearch<State, Op extends Operation> {
  readonly key: string
  readonly timeline: Timeline<Op>
  readonly search: Search<State, Op>
}

/**
 * The candidates are the operations that were called before the furthest return: first those that had returned by then, the
 * last one first. Operations that were called later cannot undo the contradiction while all candidates are kept. They can be
 * the writes that a kept candidate needs when others are let go, so the part has every operation that was called before the
 * last return of a candidate.
 */
function partOf<Op extends Operation>(key: string, timeline: Timeline<Op>, furthest: number): Part<Op> {
  const { completed, unknown, callAt, returnAt } = timeline
  const ended = completed
    .map((operation, at) => ({ operation, returnAt: returnAt[at]! }))
    .filter((each) => each.returnAt <= furthest)
    .sort((one, other) => other.returnAt - one.returnAt)
  const later = completed.filter((_, at) => callAt[at]! < furthest && returnAt[at]! > furthest)
  const candidates = [...ended.map(({ operation }) => operation), ...later]
  const last = lastReturn(candidates)
  const operations = [...completed, ...unknown]
    .filter(({ call }) => call <= last)
    .sort((one, other) => one.call - other.call)
  return { key, operations, candidates }
}

function checkOperation(operation: Operation, at: number): void {
  const refuse = (field: string, expected: string, actual: unknown): never => {
    const option = `operation ${at}${field}`
    throw new RaftError('INVALID_OPTION', { option, expected, actual: quoted(actual) })
  }
  if (typeof operation !== 'object' || operation === null) refuse('', 'an object', operation)
  const { outcome, call } = operation
  if (!outcomes.includes(outcome)) refuse(': outcome', "'ok', 'fail' or 'unknown'", outcome)
  if (!Number.isSafeInteger(call)) refuse(': call', 'a safe integer', call)
  const { return: end } = operation
  if (outcome !== 'ok') return
  if (!Number.isSafeInteger(end)) refuse(': return', 'a safe integer', end)
  if ((end as number) < call) refuse(': return', `no time before the call at ${call}`, end)
}
