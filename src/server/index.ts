/** The HTTP server of a sandbox: the page, its streams, verbs by POST, records and metrics. */
export type { VerbTold } from '../verbs/index.js'
export { loopback } from './guard.js'
export { PageServer } from './server.js'
