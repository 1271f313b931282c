/**
 * The checks' view of the nodes that they watch, and the witness that they tell. A simulator or a test provides both.
 */
import type { HardState, LogIndex, LogRun, NodeId, RaftView, Term } from '../raft/index.js'
import type { LogStore, Recovered } from '../storage/index.js'
import type { ChangeCounts } from './configurations.js'

/** The content of a node's disk after a power loss at this very moment. */
export interface Durable {
  /** `undefined` before the first write. */
  readonly hardState: HardState | undefined
  readonly snapshotIndex: LogIndex
  /** Whether the log on the disk reaches the entry, or a snapshot there stands for it. */
  holds(entry: { readonly index: LogIndex; readonly term: Term }): boolean
}

export interface WatchedNode {
  readonly id: NodeId
  /** `undefined` while the node does not run. */
  readonly state: RaftView | undefined
  readonly durable: Durable
  /** `readBack` gives a run its bytes, if only the disk holds them. */
  readonly disk: { readonly lost: unknown; readBack(run: LogRun): LogRun }
  readonly isLeaseHeld: boolean
  /** The priority of the node is 0. */
  readonly neverLeads: boolean
}

export interface Witness {
  /** A property does not hold. */
  report(rule: string, detail: string): void
  /** The commit index of a node moved to this entry. */
  committed(nodeId: NodeId, entry: { readonly index: LogIndex; readonly term: Term }): void
}

/** Counts of events of the watched nodes. */
export interface NodeCounts extends ChangeCounts {
  elections: number
  stepDowns: number
  truncations: number
}

/** The parts of an opened disk that the checker reads. */
export interface OpenedDisk {
  readonly store: Pick<LogStore, 'readEntries'>
  readonly recovered: Pick<Recovered, 'hardState' | 'base' | 'snapshot'> & {
    readonly entries: readonly LogRun[]
  }
}
