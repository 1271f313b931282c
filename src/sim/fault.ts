/** The shape of the faults that only virtual time has. */
import type { Dice } from '../faults/index.js'
import type { SimulatedCluster } from './cluster.js'

/** Begins a fault. The answer takes it back. */
export type SimulatedFault = (cluster: SimulatedCluster, dice: Dice) => () => void
