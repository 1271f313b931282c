/** Metrics of a cluster in Prometheus' text form, read from shared memory. */
export type { Metric, Sample } from './metric.js'
export { type MetricsText, metrics, metricsOf, metricsOfNode } from './registry.js'
