/** The same nodes in virtual time: one seed, one run, to the byte. */
export type { Outcome } from '../proof/index.js'
export {
  type CutDirection,
  type NodeEvent,
  SimulatedCluster,
} from './cluster.js'
export type { SimulatedClusterOptions } from './cluster-options.js'
export { type Counts, type CountsInGroups, type FaultName, faultNames, inGroups, noCounts } from './counts.js'
export { type MomentName, momentNames } from './moments.js'
export type { NetworkConditions } from './network.js'
export type { SimulatedNode } from './node.js'
export type { DiskConditions } from './node-disk.js'
export { type FaultKind, faultKinds, type Plan, planOf, type Weather, type Workload } from './plan.js'
export type { Asked, Script } from './script.js'
export { type SimulationOptions, type SimulationResult, simulate } from './simulate.js'
export { SimulationViolation, type Violation } from './violation.js'
