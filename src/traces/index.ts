/** Traces of commands, elections and snapshots, for OpenTelemetry's tools. */
export type { TracesTold } from '../cluster/index.js'
export { areTracesAskedFor } from './place.js'
export { type TraceOptions, Traces } from './traces.js'
