/**
 * Properties that nodes and their answers must have, checked against one ledger of all entries: properties of nodes,
 * promises in messages, and the history of what clients asked and were told. A simulator tells each step; for a cluster
 * of threads, its calls, its events and what its disks hold at the end are enough.
 */
export { checkAtTick } from './bounds.js'
export { Checker } from './checker.js'
export { changeNames, isMajority, membershipOf } from './configurations.js'
export { type Call, History, type Outcome } from './history.js'
export { hashOf, KvModel } from './kv-model.js'
export { holds } from './ledger.js'
export { NodeAtRest } from './node-at-rest.js'
export { Promises } from './promises.js'
export { Questions } from './questions.js'
export { type CallShape, type RandomCall, RandomCalls } from './random-calls.js'
export type { Durable, NodeCounts, WatchedNode, Witness } from './watched.js'
