/** The log of one node, read from its disk: as plain data, and in words. */
export { Follower } from './follow.js'
export { type LogEntry, type LogOfNode, type LogRange, readLog } from './read-log.js'
export { entriesInWords, logInWords, noLogInWords } from './words.js'
