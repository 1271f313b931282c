/** The contents of the small records beside the log. */
import type { EntryId, LogIndex, Membership, NodeId, Snapshot, Term } from '../raft/index.js'

/** Raised whenever an older version could misread what a newer one writes. */
export const formatVersion = 2

/** Whose log this is. Written once, when the directory is new. */
export interface Identity {
  readonly formatVersion: number
  readonly nodeId: NodeId
  /** As of the first start; a snapshot carries its own. */
  readonly membership: Membership
  /** Which of the node's disks this is, as its pledge has it; left out in a log that was begun without one. */
  readonly identity?: string
  /** The node's last start, by the name that its pledge has for it; left out in a log that was begun without one. */
  readonly life?: string
  /** As in the pledge; left out: 0. */
  readonly votesFromTerm?: Term
}

/** A snapshot on disk: its pieces lie under the generation of the attempt that wrote them. */
export interface StoredSnapshot extends Snapshot {
  readonly generation: number
}

/** What the log consists of. Written in the transaction of every change to it, so that neither outruns the other. */
export interface Pointers {
  /** The entry before the first one kept. It may lie inside the first record. */
  readonly base: EntryId
  /** First entry of the first record, and the checksum that this record names as the one before it. */
  readonly first: { readonly index: LogIndex; readonly previous: number }
  /** Last entry of the last record, and that record's checksum. Nothing after it was ever acknowledged. */
  readonly last: { readonly index: LogIndex; readonly checksum: number }
  readonly snapshot: StoredSnapshot | undefined
}
