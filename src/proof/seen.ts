import type { LogIndex, Membership, NodeId, Snapshot, Term } from '../raft/index.js'
import type { LedgerEntry } from './ledger.js'

/** A node as it was when it was last looked at. */
export interface Seen {
  isLeader: boolean
  term: Term
  votedFor: NodeId | undefined
  /** The last entry of its log. */
  tail: LedgerEntry
  /** The end of its log when its configuration was last looked at, and the configuration that it went by then. */
  configuredTail: LedgerEntry
  membership: Membership | undefined
  snapshot: Snapshot | undefined
  baseIndex: LogIndex
  commitIndex: LogIndex
  lastApplied: LogIndex
  /** As a leader: what it knows of the others' disks. */
  readonly matches: Map<NodeId, LogIndex>
}
