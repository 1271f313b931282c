/** How much may happen in the runs that a search goes through. */

/** Each count is of a whole run, over all nodes together. */
export interface Bounds {
  readonly nodes: number
  /** No node comes to a later term than this. */
  readonly terms: number
  /** Commands that are proposed. */
  readonly entries: number
  /** Nodes that lose their power, and start again with what was flushed. */
  readonly crashes: number
  /** Messages that are delivered and stay in flight. */
  readonly duplicates: number
  /** Writes that are not flushed in the turn that asks for them. */
  readonly slowWrites: number
  /** Rounds of heartbeats. */
  readonly heartbeats: number
  /** Changes of the members. */
  readonly changes: number
  /** Transfers of leadership. */
  readonly transfers: number
}

export const defaultBounds: Bounds = Object.freeze({
  nodes: 3,
  terms: 3,
  entries: 2,
  crashes: 1,
  duplicates: 1,
  slowWrites: 1,
  heartbeats: 1,
  changes: 1,
  transfers: 1,
})

/** Budgets that a run uses up. The terms are not among them: each node has its own. */
export const budgetNames = [
  'entries',
  'crashes',
  'duplicates',
  'slowWrites',
  'heartbeats',
  'changes',
  'transfers',
] as const
export type BudgetName = (typeof budgetNames)[number]

/** Four bits count one budget, and seven of them fit into a small integer. */
const bitsOfBudget = 4
export const budgetMax = 2 ** bitsOfBudget - 1

/** All budgets of a world, counted down, as one number. */
export function packedBudgets(bounds: Bounds): number {
  return budgetNames.reduce((packed, name, at) => packed | (bounds[name] << (at * bitsOfBudget)), 0)
}

export function budgetLeft(packed: number, name: BudgetName): number {
  return (packed >>> (budgetNames.indexOf(name) * bitsOfBudget)) & budgetMax
}

export function spent(packed: number, name: BudgetName): number {
  return packed - (1 << (budgetNames.indexOf(name) * bitsOfBudget))
}
