/** What can go wrong, as data, and what takes it to the parts of a node. */
export * from './describe.js'
export * from './fault.js'
export * from './link-faults.js'
export * from './standing.js'
export * from './targets.js'
