/** The HTTP server of a sandbox: the page, its streams, verbs by POST, records and metrics. */
export type { LogEntry, LogOfNode } from '../logbook/index.js'
export type { ScenarioResult } from '../scenarios/index.js'
export type { VerbTold } from '../verbs/index.js'
export type { KeysTold } from './key-watch.js'
export type { ScenarioHead, ScenarioLine } from './scenario-run.js'
export { PageServer } from './server.js'
