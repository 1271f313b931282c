/** A failing seed made small: a world with few parts, and a short list of acts that breaks a rule of the protocol. */
export { Bound, type ShrinkFigures } from './bound.js'
export { type Failure, failureOf, type Rerun, rerun } from './failure.js'
export { FailureReader, isFailure, linesOf } from './failure-lines.js'
export { BadFailure } from './line-fields.js'
export { failureOfSearch } from './of-search.js'
export { type Shrunk, shrink } from './shrink.js'
