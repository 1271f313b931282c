/** What happened in a cluster, explained: pure functions from a story to data, to words and to a picture. */
export type { Cause, CauseType } from './causes.js'
export type { Felt } from './commits.js'
export { type Election, explainElection, type Missed, type Nothing, type Vote } from './election.js'
