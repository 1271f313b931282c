/** Jobs for idle processors. */
export { sweep } from './pool.js'
export { replay } from './replay.js'
export { type SearchResult, search, searchStatesMax } from './search.js'
export { rerun, shrink } from './shrink.js'
export { addSweeps, noSweep, type SweepResult } from './sweep.js'
