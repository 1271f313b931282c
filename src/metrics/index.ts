/** Metrics of a cluster in Prometheus' text form, read from shared memory. */
export {}
