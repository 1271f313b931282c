/** Explanations of what happened in a cluster: pure functions from a story to data, to words and to a picture. */

export { causeTypes } from './causes.js'
export {
  type ChecksOf,
  having,
  isCount,
  isFlag,
  isId,
  isNumber,
  isText,
  listOf,
  ofFault,
  ofMembership,
  oneOf,
  orNone,
} from './checks.js'
export { type CommandWay, explainIndex } from './command-way.js'
export {
  campaignsOf,
  type Election,
  electionOf,
  explainElection,
  explainElections,
  lastStepOf,
} from './election.js'
export { explain, type Question } from './explain.js'
export { moment, span } from './phrases.js'
export { type PictureWindow, picture } from './picture.js'
export { explainStall, type Stall } from './stall.js'
export { BadStoryLine, StoryReader, StoryWriter } from './story-lines.js'
export { boundsOf, electionTermOf, type RoleChange, type Timeline, timelineOf } from './timeline.js'
