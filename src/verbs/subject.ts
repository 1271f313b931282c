/** The cluster that verbs act on, on threads, inline or in virtual time, as a person at a prompt sees it. */
import type { ReadFrom } from '../cluster/index.js'
import type { FaultMethods, ForTime, Target } from '../faults/index.js'
import type { BackgroundOptions, Seen } from '../load/index.js'
import type { LogOfNode, LogRange } from '../logbook/index.js'
import type { MemberKind, MembershipMethods } from '../membership/index.js'
import type { LogIndex, NodeId, Role, Term } from '../raft/index.js'
import type { MembershipTold, Story } from '../telemetry/index.js'

/** The methods by which a cluster of any host is broken and healed. */
export type Breaker = Pick<FaultMethods, keyof FaultMethods>

/** The methods by which the members of a cluster of any host are changed. */
export type Changer = Pick<MembershipMethods, keyof MembershipMethods>

/** A node as `status` tells it. */
export interface NodeTold {
  readonly nodeId: NodeId
  /** A paused node is alive and frozen. Role and pointers of a node that does not run are the last ones known. */
  readonly state: 'running' | 'paused' | 'stopped' | 'failed'
  /** Its part in the configuration. */
  readonly member: MemberKind
  readonly role: Role
  readonly currentTerm: Term
  readonly leaderId: NodeId | undefined
  readonly lastIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly lastApplied: LogIndex
  readonly logBytes: number
  /** The reason for which it failed, when it did. */
  readonly failure: string | undefined
}

/** Bad input throws before anything has changed. */
export interface Subject {
  readonly breaker: Breaker
  readonly changer: Changer
  readonly nodeIds: readonly NodeId[]
  /** Now, on the clock of the faults. */
  now(): number
  status(): readonly NodeTold[]
  /** The configuration by which the leader goes, and the node to which it hands over; `undefined`: none is known. */
  readonly membership: MembershipTold | undefined
  put(key: string, value: string): Promise<{ readonly index: LogIndex; readonly revision: number }>
  get(key: string, where?: ReadWhere): Promise<ReadTold<ValueTold | undefined>>
  delete(key: string): Promise<{ readonly index: LogIndex; readonly deleted: boolean }>
  /** Up to 1000 keys that begin with the prefix, in order. */
  range(prefix: string, where?: ReadWhere): Promise<ReadTold<RangeTold>>
  /** Ends nodes as a crash would. Resolves with their ids. */
  kill(target: Target, options: ForTime): Promise<readonly NodeId[]>
  /** Starts nodes that do not run, from their disks. `renew`: anew, if the disk is lost. */
  restart(target: Target, options: { readonly renew?: boolean }): Promise<void>
  /** Lets nodes take snapshots of all that they have applied. Resolves once they are on their disks. */
  snapshot(target: Target): Promise<readonly SnapshotTold[]>
  /** The same for one node, whose snapshot is written to a new file as well. Absent where there are no files. */
  export?(target: Target, file: string): Promise<SnapshotTold>
  /** Begins a load in the background. */
  beginLoad(options: BackgroundOptions): void
  /** Ends it. `undefined`: there was none. */
  endLoad(): Seen | undefined
  /** A part of the log of a node; `undefined` while it has none. Absent where nodes have no disk to read. */
  log?(nodeId: NodeId, range: LogRange): Promise<LogOfNode | undefined>
  story(): Story
}

export interface SnapshotTold {
  readonly nodeId: NodeId
  readonly index: LogIndex
  readonly term: Term
  /** Bytes. */
  readonly size: number
}

export interface ValueTold {
  readonly value: Uint8Array
  readonly version: number
  readonly modRevision: number
}

/** The node that serves a read, and how. Left out: the leader, and linearizable. */
export interface ReadWhere {
  readonly from?: ReadFrom | undefined
  readonly isStale?: boolean
}

/** The answer to a read, and, if the read was a stale one, how stale it may be. */
export interface ReadTold<Answer> {
  readonly answer: Answer
  readonly index?: LogIndex
  /** Infinite: not known. */
  readonly ageMs?: number
}

export interface RangeTold {
  readonly entries: readonly EntryTold[]
  readonly hasMore: boolean
}

export interface EntryTold {
  readonly key: Uint8Array
  readonly value: Uint8Array
}
