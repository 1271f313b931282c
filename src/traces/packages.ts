/** The packages of OpenTelemetry are optional: whoever sends traces to a collector installs them. */

const install =
  'npm install @opentelemetry/api@1 @opentelemetry/resources@2 @opentelemetry/exporter-trace-otlp-http@0.220'

/** Throws for packages that could not be loaded, with the line that mends it. */
export function packagesMissing(error: unknown): never {
  throw new Error(`traces for a collector take packages of OpenTelemetry that are not there: ${install}`, {
    cause: error,
  })
}
