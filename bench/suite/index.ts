/** The frame in which every group and every peer of the benchmarks runs: cases, turns, flags, records. */
export { keptBusy } from './busy.js'
export {
  type BenchCase,
  type Extent,
  type Group,
  higher,
  lower,
  microseconds,
  nanoseconds,
  neither,
  pick,
  type RunContext,
  type Sample,
  type SampleDistribution,
  type SampleFigure,
} from './case.js'
export { type Ended, runChild, startChild, withFolder } from './child.js'
export { type EtcdServers, freePorts, startAddedEtcd, startEtcdServers } from './etcd-servers.js'
export { commandLine, top } from './place.js'
export { roundsFlag, runBenchProgram, secondsFlag } from './program.js'
export { recordHead } from './record-head.js'
export { runSuite } from './suite.js'
export { summaryOf } from './summary.js'
export { turnsOf } from './turns.js'
