/** Jobs for idle processors. */
export { sweep } from './pool.js'
export type { SweepResult } from './sweep.js'
