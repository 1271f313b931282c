/** Log lines of what happens in a cluster, structured, for people and for tools. */
export { Journal } from './journal.js'
export { type Level, levelOf } from './levels.js'
