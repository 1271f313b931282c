/** Frames of a running cluster: looked at regularly, kept for a while, and handed to whoever watches. */
export type * from './frame.js'
export type { KeptFrame } from './history.js'
export { Observer } from './observer.js'
export { recordLines } from './record-lines.js'
