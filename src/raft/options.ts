/** What a protocol instance is made from: who it is, what its disk held, and its limits. */

import type { LogRun } from './entry-run.js'
import {
  type EntryId,
  type HardState,
  logOrigin,
  type Membership,
  type NodeId,
  type Snapshot,
  type Term,
} from './types.js'

export interface RaftLimits {
  /**
   * Ticks without a leader before an election: drawn anew each time from this to twice this (§5.2). Default
   * 20. Small: false elections whenever a node is late. Large: a dead leader is missed for as long.
   */
  readonly electionTimeoutTicks: number
  /** Ticks between heartbeats. Default 2; at most a third of electionTimeoutTicks. */
  readonly heartbeatTicks: number
  /** Bytes of entries in one AppendEntries; a larger run travels alone. Default 1 MiB. */
  readonly appendBytesMax: number
  /** AppendEntries on their way to one follower. Default 256. 1 turns pipelining off. */
  readonly inflightMessagesMax: number
  /** Bytes on their way to one follower. Default 8 MiB. */
  readonly inflightBytesMax: number
  /** Bytes that a leader holds not applied, or not on its own disk, before it refuses commands. Default 32 MiB. */
  readonly uncommittedBytesMax: number
  /**
   * Bytes of log kept in memory, more only while they are not flushed or not committed: older entries are read from the
   * store when a follower or the state machine needs them. Default 32 MiB.
   */
  readonly logMemoryBytesMax: number
  /** Bytes of one snapshot chunk. Default 256 KiB. */
  readonly snapshotChunkBytes: number
  /** Reads that wait to be confirmed before more are refused. Default 65,536. */
  readonly waitingReadsMax: number
}

export const defaultLimits: RaftLimits = Object.freeze({
  electionTimeoutTicks: 20,
  heartbeatTicks: 2,
  appendBytesMax: 1 << 20,
  inflightMessagesMax: 256,
  inflightBytesMax: 8 << 20,
  uncommittedBytesMax: 32 << 20,
  logMemoryBytesMax: 32 << 20,
  snapshotChunkBytes: 256 << 10,
  waitingReadsMax: 65_536,
})

export interface RaftOptions {
  readonly id: NodeId
  /** The cluster's first configuration: the members before any entry of the log says otherwise. */
  readonly membership: Membership
  /**
   * Seeds the election timeouts: nodes of one cluster must differ, or they split votes for ever. Seeds the numbers of
   * campaigns: a node that starts again must differ from its earlier life, or it may count a pre-vote of then.
   */
  readonly seed: number
  readonly limits?: Partial<RaftLimits>
  /** A node of priority 0 never leads: it votes, and does not campaign. Default 1. */
  readonly priority?: number
  /** What was on disk. Left out: a node that starts for the first time. */
  readonly recovered?: {
    readonly hardState: HardState
    readonly snapshot: Snapshot | undefined
    readonly base: EntryId
    readonly entries: readonly LogRun[]
    /**
     * For a node that takes the place of one that lost its disk: it votes for nobody before its log ends in an entry of
     * this term or a later one [EL21]. Left out: it may vote at once.
     */
    readonly votesFromTerm?: Term
  }
}

export const emptyDisk: NonNullable<RaftOptions['recovered']> = Object.freeze({
  hardState: { currentTerm: 0, votedFor: undefined },
  snapshot: undefined,
  base: logOrigin,
  entries: [],
})
