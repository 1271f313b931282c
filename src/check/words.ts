/** A window in words: how far an order goes, and why no operation follows. */
import type { Memory } from './configuration-set.js'
import type { Model, Operation } from './model.js'
import { Search, type SearchEnd, stepsAtOnce } from './search.js'
import { Timeline } from './timeline.js'
import type { Window } from './window.js'

/** An operation that has no place behind the longest order. */
export interface Stuck<Op extends Operation> {
  readonly operation: Op
  /** Operations of the part right after which it would fit, each with the reason why that is no place for it. */
  readonly needs: readonly { readonly operation: Op; readonly why: string }[]
}

export interface Explanation<Op extends Operation> {
  /** The longest order that fits, of kept operations and of those that were let go. */
  readonly order: readonly Op[]
  /** The state behind it, in words. */
  readonly state: string
  readonly stuck: readonly Stuck<Op>[]
  /** False if the search for the longest order was cut short: `order` is the longest that was found, and `stuck` is empty. */
  readonly isOrderLongest: boolean
}

const stepsMax = 200_000
const needsMax = 5

interface Explained<State, Op extends Operation> {
  readonly key: string
  /** Every operation of the part, also those that failed or were called later. */
  readonly all: readonly Op[]
  readonly model: Model<State, Op>
  readonly memory: Memory
  isTimeUp(): boolean
}

export function* explained<State, Op extends Operation>(
  { operations, letGo }: Window<Op>,
  { key, all, model, memory, isTimeUp }: Explained<State, Op>,
): Generator<void, Explanation<Op>> {
  const timeline = new Timeline([...operations, ...letGo.keys()], model)
  const search = new Search(timeline, model, key, memory, true)
  let end: SearchEnd = 'open'
  while (end === 'open' && search.steps < stepsMax && !isTimeUp()) {
    end = search.run(stepsAtOnce)
    yield
  }
  const isOrderLongest = end === 'not-linearizable'
  const { order, state } = search.longest
  search.release()
  const placed = new Set(order.map((operation) => letGo.get(operation) ?? operation))
  const isPlaced = (operation: Op): boolean => placed.has(operation)
  const left = operations.filter((operation) => !placed.has(operation))
  const firstReturn = left.reduce(
    (first, operation) => Math.min(first, operation.return as number),
    Number.POSITIVE_INFINITY,
  )
  const next = left.filter(({ call }) => call <= firstReturn)
  const stuck = isOrderLongest ? next.filter((operation) => model.step(state, operation) === undefined) : []
  return {
    order,
    state: stateWords(model, state),
    isOrderLongest,
    stuck: stuck.map((operation) => ({ operation, needs: needsOf(operation, state, isPlaced, all, model) })),
  }
}

/** Writes that would make the operation fit if they came right before it. */
function needsOf<State, Op extends Operation>(
  stuck: Op,
  state: State,
  isPlaced: (operation: Op) => boolean,
  all: readonly Op[],
  model: Model<State, Op>,
): Stuck<Op>['needs'] {
  const needs: { operation: Op; why: string }[] = []
  for (const operation of all) {
    if (needs.length === needsMax) break
    if (operation === stuck || model.isRead?.(operation) === true) continue
    const between = model.step(state, operation)
    if (between === undefined || model.step(between, stuck) === undefined) continue
    needs.push({ operation, why: whyNot(operation, stuck, isPlaced(operation)) })
  }
  return needs
}

function whyNot<Op extends Operation>(operation: Op, stuck: Op, isPlaced: boolean): string {
  if (operation.outcome === 'fail') return 'it failed, so that it did not happen'
  if (operation.call > (stuck.return as number)) return 'it was called only after that'
  return isPlaced
    ? 'it has its place earlier already, and happens once'
    : 'it cannot happen there without another contradiction'
}

export function operationWords<Op extends Operation>(
  model: Pick<Model<never, Op>, 'describe'>,
  operation: Op,
): string {
  return model.describe?.(operation) ?? wordsOf(operation)
}

function stateWords<State, Op extends Operation>(model: Model<State, Op>, state: State): string {
  return model.describeState?.(state) ?? wordsOf(state)
}

function wordsOf(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  try {
    return (
      JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)) ?? String(value)
    )
  } catch {
    // An object that contains itself has no JSON.
    return String(value)
  }
}
