/**
 * A frame: what a whole cluster looks like at one moment, as plain data. The page draws frames, a record of a run is a
 * list of them beside its story, and scrolling back shows an earlier one.
 *
 * Latencies in a frame span the time since the frame before it that was not left out.
 *
 * Times are milliseconds on the clock of the story (since 1970, with fractions). Latencies are whole microseconds.
 */
import type { MemberKind } from '../membership/index.js'
import type { LogIndex, NodeId, Role, Term } from '../raft/index.js'
import type {
  CarriedType,
  FaultTold,
  LatenciesSince,
  LatencySince,
  MembershipTold,
  ProgressTold,
  TermRun,
} from '../telemetry/index.js'

/** The cluster that frames show: what stays the same from frame to frame. */
export interface FrameHead {
  /** Chosen by chance: a cluster that was started anew has another one, and its numbers begin again. */
  readonly run: string
  /** The first thing that is known of the run: times of the page count from it, whatever is forgotten later. */
  readonly beganMs: number
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
  readonly tickMs: number
  /** The folder of the cluster. */
  readonly dir: string
}

export interface Frame {
  /** Counts up from 1. A number that is missing was left out: it was thinned out of the past, or its reader was slow. */
  readonly number: number
  readonly atMs: number
  readonly leaderId: NodeId | undefined
  readonly membership: MembershipTold | undefined
  readonly nodes: readonly NodeFrame[]
  readonly faults: readonly FaultFrame[]
  /** Messages that left since the frame before: all of them, or a sample. */
  readonly messages: readonly MessageFrame[]
  /** Messages of `messages`, of this frame or an earlier one, that have arrived. */
  readonly arrivals: readonly Arrival[]
  /** Messages that left since the frame before and are not among `messages`. */
  readonly messagesLeftOut: number
  readonly calls: CallsFrame
  /** Clients of the load in the background; 0: there is none. */
  readonly loadClients: number
}

export interface NodeFrame {
  readonly nodeId: NodeId
  readonly state: 'running' | 'paused' | 'stopped' | 'failed'
  readonly member: MemberKind
  readonly role: Role
  readonly currentTerm: Term
  readonly leaderId: NodeId | undefined
  /** The reason for which it failed, when it did. */
  readonly failure: string | undefined
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly flushedIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly lastApplied: LogIndex
  /** Commands applied since the cluster was started, in all lives of the node. `undefined`: an older record. */
  readonly commandsApplied?: number
  readonly snapshotIndex: LogIndex
  readonly logBytes: number
  /** The terms of the entries in the log, oldest first: from this index on. Of very many, the last ones. */
  readonly terms: readonly TermRun[]
  /** How long until it campaigns if it hears nobody, at this frame. `undefined`: it leads, or does not run. */
  readonly electionLeftMs: number | undefined
  /** The whole of that time, as it was drawn by chance. */
  readonly electionTimeoutMs: number
  /** Of a candidate: the nodes that granted it their vote. */
  readonly votes: readonly NodeId[]
  readonly isLeaseHeld: boolean
  /** Of a leader: how far each other node is. */
  readonly progress: readonly ProgressTold[]
  /** Writes that reached the disk since the frame before. */
  readonly flushes: LatencyFrame
  /** How late heartbeats came since the frame before. */
  readonly heartbeatsLate: LatencyFrame
}

export type LatencyFrame = LatencySince

/** Calls of all clients of the cluster in this process since the frame before. */
export type CallsFrame = LatenciesSince['calls']

export interface FaultFrame extends FaultTold {
  readonly sinceMs: number
  /** `undefined`: it stands until it is healed. */
  readonly untilMs: number | undefined
}

export interface MessageFrame {
  readonly id: number
  readonly from: NodeId
  readonly to: NodeId
  readonly type: CarriedType
  readonly term: Term
  readonly mark: number
  readonly isYes: boolean | undefined
  readonly sentAtMs: number
}

export interface Arrival {
  /** The `id` of the message. */
  readonly id: number
  readonly atMs: number
}
