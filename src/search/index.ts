/** Every interleaving of a small cluster's steps, within bounds, each world once: against the rules of every world. */
export { type Bounds, type BudgetName, budgetMax, budgetNames, defaultBounds } from './bounds.js'
export { type Figures, Lane, newShared, type Shared, type Stop } from './lanes.js'
export { appendBytesMaxDefault, type PlacedStep, type Step } from './member.js'
export { areAlike } from './renamed.js'
export { wordsOf } from './retell.js'
export type { Violation } from './rules.js'
export { type Broken, type Found, type LaneOf, Search } from './search.js'
export { type ClusterSize, Stage, type Taken } from './stage.js'
