/** The verbs of raftbox: what can be typed, scripted or put into a scenario, and what each word does. */
export { ClusterSubject } from './cluster-subject.js'
export { textOrBytes } from './data-verbs.js'
export { answerTo, type Refusal, refusalOf } from './line-answer.js'
export { complete, parse, perform, verbs, wordsOfVerbs } from './registry.js'
export { bytesIn } from './scales.js'
export type * from './subject.js'
export { type VerbTold, verbsTold } from './told.js'
export type { Acting, Answer } from './verb.js'
