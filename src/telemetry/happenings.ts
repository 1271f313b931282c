/**
 * What happens in a cluster, as its nodes, their hosts and the cluster itself tell it. Each happening has a sequence
 * number and the number of the one that led to it, so that a story can be followed back to its cause.
 */
import type { LogIndex, NodeId, RaftEvent } from '../raft/index.js'

/** A fault, as far as a story of what happened needs it. */
export interface FaultTold {
  readonly id: number
  /** Its type (`cut`, `slowDisk`, …), and the line that a person would type for it. */
  readonly type: string
  readonly line: string
  /** The nodes on which it acts, and the ways of their links: `clients` stands for all clients. */
  readonly nodes: readonly NodeId[]
  readonly ways: readonly { readonly from: NodeId | 'clients'; readonly to: NodeId | 'clients' }[]
  /** The kind of messages that it is limited to. `undefined`: all. */
  readonly messages: string | undefined
  /** All its numbers by name: `delayMs`, `jitterMs`, `share`, `flushMs`, `offsetMs`, `drift`, … */
  readonly figures: Readonly<Record<string, number>>
}

/** Times are in milliseconds. */
export type Happening =
  | RaftEvent
  | { readonly type: 'started'; readonly lastIndex: LogIndex; readonly snapshotIndex: LogIndex }
  | { readonly type: 'killed' }
  | { readonly type: 'failed'; readonly why: string }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed'; readonly afterMs: number }
  /** A follower heard nothing of its leader for two intervals of heartbeats. Told once until the next heartbeat. */
  | { readonly type: 'heartbeatMissed'; readonly from: NodeId; readonly silentMs: number }
  /** The thread of the node did not run for so long, though it should have: it was busy, or got no processor. */
  | { readonly type: 'threadStood'; readonly forMs: number }
  /** A write is with the disk for so long already. Told once; its end tells how long it took. */
  | { readonly type: 'flushLate'; readonly sinceMs: number }
  | { readonly type: 'flushEnded'; readonly afterMs: number }
  /** The node turned so many requests away since it last told so, as too much was waiting. */
  | { readonly type: 'overloaded'; readonly refused: number }
  /** The program that holds the cluster did not let its event loop go on for so long. Of no node. */
  | { readonly type: 'hostBlocked'; readonly forMs: number }
  | { readonly type: 'faultBegan'; readonly fault: FaultTold }
  | { readonly type: 'faultHealed'; readonly fault: FaultTold; readonly by: 'verb' | 'time' }

export type Happened = Happening & {
  /** Counts up in the order in which things happened in the cluster, over all of its nodes. */
  readonly sequence: number
  /** When, in milliseconds since 1970 (in virtual time: since the run began), with fractions. */
  readonly atMs: number
  /** Where; 0 for what is of no node. */
  readonly nodeId: NodeId
  /** The sequence number of what led to it, where that is known. */
  readonly cause: number | undefined
}

/** Stages of a command's way, in the order in which a leader sees them. */
export const stages = [
  /** A client's commands are in the leader's log. */
  'appended',
  /** The leader sent them to `peer`. */
  'sent',
  /** The follower took them from `peer`, its leader. */
  'received',
  /** The node's own disk holds them. */
  'flushed',
  /** The leader heard from `peer` that its disk holds them. */
  'acknowledged',
  'committed',
  'applied',
  /** Their results left for the clients. */
  'answered',
] as const

export type Stage = (typeof stages)[number]

/** A node has come so far: all entries up to `index` have passed the stage. */
export interface Passed {
  readonly atMs: number
  readonly nodeId: NodeId
  readonly stage: Stage
  readonly peer: NodeId | undefined
  readonly index: LogIndex
}

/** A message that left a node or was taken by one, for a picture of who said what to whom. */
export interface Carried {
  readonly atMs: number
  readonly nodeId: NodeId
  readonly direction: 'sent' | 'received'
  readonly peer: NodeId
  /** A message type of the paper; `heartbeat` and `heartbeatResponse` for AppendEntries without entries. */
  readonly type: string
  readonly term: number
  /** Where the message stands in the log, or its round: sender and receiver tell the same. */
  readonly mark: number
}

/** All that is known about a stretch of a cluster's life: what `explain` reads, live or from a file. */
export interface Story {
  readonly nodeIds: readonly NodeId[]
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
  /** Events of the protocol count time in ticks. */
  readonly tickMs: number
  readonly happened: readonly Happened[]
  readonly passed: readonly Passed[]
  readonly carried: readonly Carried[]
}
