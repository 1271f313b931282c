/** The inputs that drive the nodes of a run, as far as they can be played again by hand: told while the run goes on. */
import type { StandingFault } from '../faults/index.js'
import type { CallHeader } from '../machine/index.js'
import type { Call, Outcome } from '../proof/index.js'
import type { MembershipChange, Message, NodeId } from '../raft/index.js'
import type { RequestType } from '../transport/index.js'
import type { MomentScript } from './moments.js'

/** A frame of a session: one that begins it, or one of its calls. */
export type OfSession =
  | { readonly registerMs: number }
  | { readonly call: Omit<CallHeader, 'op' | 'count'>; readonly copyOf: Call | undefined }

/** A request that a node takes up. */
export interface Asked {
  readonly request: number
  readonly nodeId: NodeId
  readonly type: RequestType
  readonly commands: readonly Uint8Array[]
  readonly ofSession: OfSession | undefined
}

export interface Script extends MomentScript {
  /** A node takes a message. */
  took(nodeId: NodeId, message: Message): void
  asked(asked: Asked): void
  /** The client of the request learns how it ended. */
  told(request: number, outcome: Outcome): void
  /** A write of the node is on its disk. */
  flushed(nodeId: NodeId): void
  /** The node has taken its snapshot, and cuts its log behind it. */
  cut(nodeId: NodeId): void
  /** Another node starts, with an empty disk. */
  launched(nodeId: NodeId): void
  /** An operator asks the node for a change of the members. */
  askedToChange(nodeId: NodeId, changes: readonly MembershipChange[]): void
  /** An operator asks the node to hand over. `to` is `undefined`: to the best. */
  askedToHandOver(nodeId: NodeId, to: NodeId | undefined): void
  fault(what: 'faultBegan' | 'faultHealed', standing: StandingFault): void
}
