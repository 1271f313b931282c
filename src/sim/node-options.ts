/** What a simulated node is made from, and what it does to the world around it. */
import type { ReadConfirmation } from '../driver/index.js'
import type { MachineFactory } from '../machine/index.js'
import type { LogBounds, Membership, Message, NodeId, RaftEvent, RaftLimits } from '../raft/index.js'
import type { Settlements } from '../transport/index.js'
import type { DiskConditions } from './node-disk.js'

export interface SimulatedNodeOptions {
  readonly id: NodeId
  readonly seed: number
  readonly membership: Membership
  readonly priority: number
  readonly limits: RaftLimits
  readonly bounds: LogBounds
  readonly resultBytesMax: number
  readonly tickMs: number
  readonly reads: ReadConfirmation
  readonly clockDrift: number
  /** Longest time from a message's arrival to the turn that takes it. */
  readonly turnMs: number
  readonly snapshotPieceBytes: number
  readonly disk: DiskConditions
  readonly createMachine: MachineFactory
}

export interface Surroundings {
  send(message: Message): void
  /** A node takes up a request that has arrived. */
  taken(request: number): void
  settle(nodeId: NodeId, settlements: Settlements): void
  observe(nodeId: NodeId, event: RaftEvent): void
  /** It no longer runs: what it was asked and did not answer, it never will. */
  stopped(nodeId: NodeId): void
}
