/**
 * The world in which acts of whole nodes are taken. A file holds all of it, so that the file goes on to mean the same when
 * seeds come to stand for other plans.
 */
import { defaultLimits, type NodeId, type RaftLimits } from '../raft/index.js'
import { type Plan, planOf } from '../sim/index.js'
import type { PlanChange } from './worlds.js'

export interface WholeWorld {
  /** Decides what is left to chance: the paces of clocks, election timeouts, and which writes outlive a loss of power. */
  readonly seed: number
  /** The nodes of the first configuration, which are its voters. */
  readonly voters: number
  /** The nodes of priority 0, also those that are launched. */
  readonly neverLeading: readonly NodeId[]
  readonly limits: RaftLimits
  /** Bytes of results after which a node answers a request in part. */
  readonly resultBytesMax: number
  readonly tickMs: number
  readonly reads: Plan['reads']
  /** By how much of itself a node's clock may be slow or fast. */
  readonly clockDrift: number
  /**
   * The nodes' states are compared with the model after each act that applied something, as at the end of a run. For a
   * property that is found earlier or later, the simulator's own looks are kept.
   */
  readonly looksAtStates: boolean
}

/** Messages carry all that there is to send, and a snapshot is one message. */
const wide = {
  appendBytesMax: 1 << 20,
  inflightMessagesMax: 256,
  inflightBytesMax: 8 << 20,
  uncommittedBytesMax: 32 << 20,
  snapshotChunkBytes: 256 << 10,
}

export function wholeWorldOf(seed: number, change: PlanChange, looksAtStates: boolean): WholeWorld {
  const plan = { ...planOf(seed), ...change }
  const { nodes: voters, neverLeading, resultBytesMax, tickMs, reads, clockDrift } = plan
  const limits = { ...defaultLimits, ...plan.limits }
  return { seed, voters, neverLeading, limits, resultBytesMax, tickMs, reads, clockDrift, looksAtStates }
}

export function widened(world: WholeWorld): WholeWorld {
  return { ...world, limits: { ...world.limits, ...wide } }
}
