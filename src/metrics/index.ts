/** Metrics of a cluster in Prometheus' text form, read from shared memory. */
export { type MetricsText, metrics, metricsOf } from './registry.js'
