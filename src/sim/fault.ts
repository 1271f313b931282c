/** The parts that all faults share. */
import type { Dice } from '../faults/index.js'
import type { NodeId } from '../raft/index.js'
import type { SimulatedCluster } from './cluster.js'

/** Begins a fault. The answer takes it back. */
export type Fault = (cluster: SimulatedCluster, dice: Dice) => () => void

/** Half of the time the leader, since most of what can go wrong goes wrong there. */
export function victimOf(cluster: SimulatedCluster, dice: Dice): NodeId {
  const leaderId = cluster.leader?.id
  return leaderId !== undefined && dice.chance(0.5) ? leaderId : 1 + dice.below(cluster.nodes.length)
}
