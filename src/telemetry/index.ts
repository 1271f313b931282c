export { Counters, type CounterValues, roles } from './counters.js'
export { Meter } from './meter.js'
export type { Probe } from './probe.js'
export { describeEvent } from './words.js'
