/** Jobs for idle processors. */
export { sweep } from './pool.js'
export { replay } from './replay.js'
export { type SearchResult, search, searchStatesMax } from './search.js'
export type { SweepResult } from './sweep.js'
