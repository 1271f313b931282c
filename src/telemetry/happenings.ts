/**
 * Happenings in a cluster, as its nodes, their hosts and the cluster itself tell them. Each happening has a sequence
 * number and the number of the one that led to it, so that a story can be followed back to its cause.
 */
import type { Configuration, LogIndex, Message, NodeId, RaftEvent, Term } from '../raft/index.js'

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
  /** All its numbers by name: `delayMs`, `jitterMs`, `share`, `flushMs`, `offsetMs`, `drift`, …, and the `waitMsMax` of a throttled message. */
  readonly figures: Readonly<Record<string, number>>
}

/** Times are in milliseconds. */
export type Happening =
  | RaftEvent
  | {
      readonly type: 'started'
      readonly lastIndex: LogIndex
      readonly snapshotIndex: LogIndex
      /** The configuration by which the node goes from its start on. `undefined`: the story is of an older raftbox. */
      readonly configuration?: Configuration | undefined
    }
  /** The node has ended. On purpose: it was stopped, as an operator stops a node, and no fault ended it. */
  | { readonly type: 'killed'; readonly isOnPurpose?: true }
  /** The node was taken out of the cluster for good, and its thread has ended. */
  | { readonly type: 'removed' }
  | { readonly type: 'failed'; readonly why: string }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed'; readonly afterMs: number }
  /** A follower heard nothing of its leader for two intervals of heartbeats. Told once until it hears the leader again. */
  | { readonly type: 'heartbeatMissed'; readonly from: NodeId; readonly silentMs: number }
  /** The thread of the node did not run for so long, though it should have: it was busy, or got no processor. */
  | { readonly type: 'threadStood'; readonly forMs: number }
  /** A majority answered the leader so lately that it answers reads without asking anew. */
  | { readonly type: 'leaseHeld'; readonly term: Term }
  /**
   * The lease of a node that leads has ended: it ran out, or was given up for another node to lead. Without a reason: the
   * story is of an older raftbox.
   */
  | { readonly type: 'leaseLost'; readonly term: Term; readonly reason?: 'unanswered' | 'givenUp' }
  /** A write is with the disk for half an election timeout already. Told once; its end tells how long it took. */
  | { readonly type: 'flushLate'; readonly sinceMs: number }
  | { readonly type: 'flushEnded'; readonly afterMs: number }
  /** The leader has entries up to `index`, and committed none for half an election timeout. Told once, as its end is. */
  | { readonly type: 'commitLate'; readonly index: LogIndex; readonly sinceMs: number }
  | { readonly type: 'commitEnded'; readonly index: LogIndex; readonly afterMs: number }
  /** The node turned so many requests away since it last told so, as too much was waiting. */
  | { readonly type: 'overloaded'; readonly refused: number }
  /** The happening that is its cause came so many times more since it was told. */
  | { readonly type: 'repeated'; readonly times: number }
  /** So many happenings of the node were lost: they came faster than they were read. */
  | { readonly type: 'missed'; readonly count: number }
  /** The program that holds the cluster did not let its event loop go on for so long. Of no node. */
  | { readonly type: 'hostBlocked'; readonly forMs: number }
  | { readonly type: 'faultBegan'; readonly fault: FaultTold }
  | { readonly type: 'faultHealed'; readonly fault: FaultTold; readonly by: 'verb' | 'time' }

const typesOfProtocol = {
  role: true,
  voteAnswered: true,
  messageDropped: true,
  snapshotSending: true,
  snapshotInstalling: true,
  membership: true,
  transferBegan: true,
  transferEnded: true,
} as const satisfies Record<RaftEvent['type'], true>

/** True for happenings that the protocol tells, and not the node around it. */
export function isOfProtocol(happening: Happening): happening is RaftEvent {
  return Object.hasOwn(typesOfProtocol, happening.type)
}

/** The configuration that a happening tells. A node that was added goes by none until it hears of one. */
export function configurationTold(happening: Happening): Configuration | undefined {
  if (happening.type === 'membership') return happening
  const told = happening.type === 'started' ? happening.configuration : undefined
  return told === undefined || told.membership.voters.length === 0 ? undefined : told
}

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

export const carriedTypes = [
  'preVote',
  'preVoteResponse',
  'requestVote',
  'requestVoteResponse',
  'heartbeat',
  'heartbeatResponse',
  'appendEntries',
  'appendEntriesResponse',
  'installSnapshot',
  'installSnapshotResponse',
  'timeoutNow',
  'readIndex',
  'readIndexResponse',
] as const

export type CarriedType = (typeof carriedTypes)[number]

/** A heartbeat is an AppendEntries in the protocol. Here it has a type of its own, and so has its answer. */
export function carriedTypeOf(message: Message): CarriedType {
  switch (message.type) {
    case 'appendEntries':
      return message.mode === 'heartbeat' ? 'heartbeat' : 'appendEntries'
    case 'appendEntriesResponse':
      return message.mode === 'heartbeat' ? 'heartbeatResponse' : 'appendEntriesResponse'
    default:
      return message.type
  }
}

/** True for messages that replicate: under load, far fewer seconds of them are kept than of all others. */
export function replicates(type: CarriedType): boolean {
  return type === 'appendEntries' || type === 'appendEntriesResponse'
}

/** A message that left a node or was taken by one, for a picture of who said what to whom. */
export interface Carried {
  readonly atMs: number
  readonly nodeId: NodeId
  readonly direction: 'sent' | 'received'
  readonly peer: NodeId
  readonly type: CarriedType
  /** The sender's term. */
  readonly term: Term
  /**
   * The place of the message: the last index of its entries, a match or a conflict in the log, a round of heartbeats, a
   * campaign, an offset in a snapshot. Sender and receiver tell the same.
   */
  readonly mark: number
  /** True for an answer that grants the vote, or takes what was sent. `undefined`: the message is no yes or no. */
  readonly isYes: boolean | undefined
}

/** A stretch of a cluster's life, as far as it is known: `explain` reads it, live or from a file. */
export interface Story {
  readonly nodeIds: readonly NodeId[]
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
  /** Events of the protocol count time in ticks. */
  readonly tickMs: number
  /** The newest configuration that was told before the first of `happened`. `undefined`: none was, as far as is known. */
  readonly configuration?: Configuration | undefined
  readonly happened: readonly Happened[]
  readonly passed: readonly Passed[]
  readonly carried: readonly Carried[]
  /** The time at which the story was asked for: a cluster may have been silent until then. Files do not keep it. */
  readonly askedMs?: number
}
