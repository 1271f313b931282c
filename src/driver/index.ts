export type { Clock } from './clock.js'
export { type CounterName, Counters, type CounterValues, roles } from './counters.js'
export { Driver, type DriverOptions } from './driver.js'
export { defaultLogBounds, type LogBounds } from './snapshotter.js'
