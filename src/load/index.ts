/** A cluster under load, measured: what clients call and when, what they waited, and one measurement. */
export { BackgroundLoad, type BackgroundOptions, type Seen } from './background.js'
export { type NextCall, putCalls, sizeMax, sizeMin } from './calls.js'
export { arrivalNames } from './clients.js'
export { type EtcdMeasurement, type MeasureEtcdOptions, measureEtcd } from './etcd/measure.js'
export {
  type Measured,
  type Measurement,
  type MeasureOptions,
  measure,
  readingOf,
  totalOf,
  usualLoad,
} from './measure.js'
export { type Phase, phaseLine } from './phases.js'
export { type Latencies, Tally } from './tally.js'
export { type Second, Timeline } from './timeline.js'
export { tuneV8 } from './tune-v8.js'
export { type Load, underLoad } from './under-load.js'
export { warmUpSecondsFor } from './warm-up.js'
export { withCluster } from './with-cluster.js'
export { workloadNames } from './workload.js'
