/** What happened in a cluster, explained: pure functions from a story to data, to words and to a picture. */
export type { Cause, CauseType } from './causes.js'
export { type CommandWay, explainIndex, type Part } from './command-way.js'
export {
  type Election,
  explainElection,
  explainElections,
  type Missed,
  type Nothing,
  type Vote,
} from './election.js'
export { type Explanation, explain, type Question } from './explain.js'
export type { Felt } from './felt.js'
export { explainLast, type Last } from './last.js'
export type { Step } from './passings.js'
export { type PictureWindow, picture } from './picture.js'
export { explainStall, type Stall, type StallReason } from './stall.js'
export { BadStoryLine, StoryReader, StoryWriter } from './story-lines.js'
export type { GaveUp } from './why-began.js'
