/** The control plane of a node as it crosses between threads: plain data and ports, errors as values. */
import type { ChangeOutcome, ReadConfirmation, TransferOutcome } from '../driver/index.js'
import type { Result } from '../errors/index.js'
import type {
  LogBounds,
  LogIndex,
  Membership,
  MembershipChange,
  NodeId,
  RaftLimits,
  Snapshot,
} from '../raft/index.js'
import type { LatencyCounts, StoryMemory } from '../telemetry/index.js'
import type { ClientWayEnd, LinkEnd } from '../transport/index.js'

/** `flush`: on LMDB, acknowledged once flushed. `none`: in memory, for measuring; nothing survives. */
export type Durability = 'flush' | 'none'

export interface NodeOptions {
  readonly nodeId: NodeId
  /** The cluster's first configuration. A node that was added later is not in it. */
  readonly membership: Membership
  readonly durability: Durability
  /** The node's own directory; unused without durability. */
  readonly dir: string
  /** The file in which the cluster's directory remembers its members; unused without durability. */
  readonly pledges: string
  /** Bytes that the node's disk may take at most. */
  readonly diskBytesMax: number
  /** Milliseconds of one tick of the protocol. */
  readonly tickMs: number
  readonly reads: ReadConfirmation
  /** 0: the node never leads. */
  readonly priority: number
  readonly limits: RaftLimits
  readonly bounds: LogBounds
  /** URL of the module whose default export makes the state machine; `undefined` for the built-in KV. */
  readonly machine: string | undefined
  /** The name that the machine must have; `undefined`: any, or none. */
  readonly machineName: string | undefined
  readonly seed: number
  /** Whether the node campaigns as soon as it has started, instead of after its election timeout. */
  readonly campaigns: boolean
  /** Path of the file that takes a recording of this life; `undefined`: none is made. */
  readonly recording: string | undefined
  /** Memory that the node publishes its counters in. */
  readonly counters: SharedArrayBuffer
  /** Memory in which the node shows its configuration. */
  readonly membershipMemory: SharedArrayBuffer
  /** Memory in which the node tells its vitals. */
  readonly vitals: SharedArrayBuffer
  /** Memory in which the node counts its latencies. */
  readonly latencies: SharedArrayBuffer
  /** Memory that the node tells its story in. */
  readonly story: StoryMemory
  /** Memory of the board on which the node finds its gate and the faults that stand. */
  readonly board: SharedArrayBuffer
}

export interface HashAt {
  readonly lastApplied: LogIndex
  readonly hash: string
}

export interface NodeControl {
  /** Opens the log and joins the cluster through the given links. Answers with the name of the machine, if it has one. */
  start(
    options: NodeOptions,
    client: ClientWayEnd,
    links: readonly LinkEnd[],
  ): Promise<Result<string | undefined>>
  connect(link: LinkEnd): Result<undefined>
  /** Closes the link to a node that does not come back. */
  disconnect(peerId: NodeId): Result<undefined>
  /** Asks for other members. Answers once the change is done or refused. */
  changeMembership(changes: readonly MembershipChange[]): Promise<Result<ChangeOutcome>>
  /** Asks the node to hand over its leadership. */
  transfer(to: NodeId | undefined): Promise<Result<TransferOutcome>>
  /** The hash of the state machine, and the index that it stands for. */
  hash(): Result<HashAt>
  /** Takes a snapshot of all that the node has applied, and cuts its log behind it. Answers once it is on the disk. */
  takeSnapshot(): Promise<Result<Snapshot>>
  /** Up to `length` bytes of the snapshot at `index`; `undefined` once a newer one has taken its place. */
  readSnapshot(index: LogIndex, offset: number, length: number): Result<Uint8Array | undefined>
  /** How late heartbeats were since the last call, in microseconds. */
  takeHeartbeatLateness(): Result<LatencyCounts>
  /** Looks at the board: the faults that stand there hold from here on. Answers nothing while the gate is closed. */
  look(): Result<undefined>
  /**
   * Goes on until its disk loses its power, which is while the next write is under way or a moment later. `crash` then
   * leaves on the disk what was flushed, and of the rest what the power loss left.
   */
  losePower(): Promise<Result<undefined>>
  /** Ends at once and without another write, as in a crash, and lets go of every handle. */
  crash(): Promise<Result<undefined>>
}
