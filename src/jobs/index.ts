/** Jobs for idle processors. */
export { type SweepOptions, sweep } from './pool.js'
export type { FailedRun, SweepResult } from './sweep.js'
