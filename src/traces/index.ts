/** Traces of commands, elections and snapshots, for OpenTelemetry's tools. */
export {}
