/** What happened in a cluster, explained: pure functions from a story to data, to words and to a picture. */
export type { Cause, CauseType } from './causes.js'
export { type CommandWay, explainIndex, type Part } from './command-way.js'
export { type Election, explainElection, type Missed, type Nothing, type Vote } from './election.js'
export type { Felt } from './felt.js'
export type { Step } from './passings.js'
export { explainStall, type Stall, type StallReason } from './stall.js'
