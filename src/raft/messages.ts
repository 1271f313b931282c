/**
 * What nodes say to each other: one type a message, fields named as in the paper. Fields are flat numbers
 * where they can be, since every message is cloned from thread to thread.
 */
import type { LogRun } from './entry-run.js'
import type { LogIndex, Membership, NodeId, Term } from './types.js'

interface Envelope {
  readonly from: NodeId
  readonly to: NodeId
  /** The sender's currentTerm (§5.1). */
  readonly term: Term
}

/** Invoked by candidates to gather votes (§5.2). */
export interface RequestVote extends Envelope {
  readonly type: 'requestVote'
  readonly lastLogIndex: LogIndex
  readonly lastLogTerm: Term
  /** The leader itself asked for this election, so that its voters need not wait for its silence (thesis §3.10). */
  readonly isTransfer?: true
}

export interface RequestVoteResponse extends Envelope {
  readonly type: 'requestVoteResponse'
  /** Names the question: the term of the RequestVote that is answered. A candidate asks once a term. */
  readonly electionTerm: Term
  readonly voteGranted: boolean
}

/** Asks whether a vote in `nextTerm` would be granted, and changes nothing at the receiver (thesis §9.6). */
export interface PreVote extends Envelope {
  readonly type: 'preVote'
  readonly nextTerm: Term
  /** Names the question: each campaign of a node has a number of its own, also across restarts. */
  readonly campaign: number
  readonly lastLogIndex: LogIndex
  readonly lastLogTerm: Term
}

export interface PreVoteResponse extends Envelope {
  readonly type: 'preVoteResponse'
  /** Names the question: the campaign of the PreVote that is answered. */
  readonly campaign: number
  readonly voteGranted: boolean
}

/** Invoked by the leader to replicate entries (§5.3); also used as heartbeat (§5.2). */
export type AppendEntries = Heartbeat | Replication

interface AppendEntriesFields extends Envelope {
  readonly type: 'appendEntries'
  readonly prevLogIndex: LogIndex
  readonly prevLogTerm: Term
  readonly leaderCommit: LogIndex
}

/**
 * AppendEntries without entries, sent at every heartbeat. It travels beside the entries and may overtake them, so it
 * refers only to what is known to match.
 */
export interface Heartbeat extends AppendEntriesFields {
  readonly mode: 'heartbeat'
  /** The leader's count of rounds of heartbeats. */
  readonly round: number
}

/** AppendEntries that replicates, or probes where the logs match. */
export interface Replication extends AppendEntriesFields {
  readonly mode: 'replication'
  /**
   * Empty in a probe. What is in the store only is read by the driver as the message leaves, so that all of it arrives
   * with its bytes.
   */
  readonly entries: readonly LogRun[]
}

export type AppendEntriesResponse = HeartbeatResponse | ReplicationResponse

interface AppendEntriesResponseFields extends Envelope {
  readonly type: 'appendEntriesResponse'
  readonly success: boolean
  /** On success: the last index known to match the leader's log, on disk at the sender. */
  readonly matchIndex: LogIndex
  /** Names the question: of the request that is answered. */
  readonly prevLogIndex: LogIndex
  /**
   * On refusal: where the leader may go on (§5.3, last paragraph), at least 1. 0 when the request was refused for its
   * term: a leader of a later term takes such a refusal for no answer to its own requests.
   */
  readonly conflictIndex: LogIndex
  /** On refusal: the term of the conflicting entry, 0 when the log is too short to have one. */
  readonly conflictTerm: Term
}

export interface HeartbeatResponse extends AppendEntriesResponseFields {
  readonly mode: 'heartbeat'
  /** Names the question: the round that is answered. */
  readonly round: number
  /** The sender's priority is 0. */
  readonly neverLeads?: true
}

export interface ReplicationResponse extends AppendEntriesResponseFields {
  readonly mode: 'replication'
}

/** Invoked by the leader to send chunks of a snapshot to a follower that is too far behind (§7, Figure 13). */
export interface InstallSnapshot extends Envelope {
  readonly type: 'installSnapshot'
  readonly lastIncludedIndex: LogIndex
  readonly lastIncludedTerm: Term
  readonly membership: Membership
  /** Length of the whole snapshot in bytes. */
  readonly size: number
  readonly offset: number
  /** Length of this chunk in bytes; the driver reads `data` from its store as the message leaves. */
  readonly length: number
  readonly data: Uint8Array | undefined
  readonly done: boolean
}

export interface InstallSnapshotResponse extends Envelope {
  readonly type: 'installSnapshotResponse'
  /** Names the question, with `chunkOffset`: of the chunk that is answered. 0 when it was refused for its term. */
  readonly lastIncludedIndex: LogIndex
  readonly chunkOffset: number
  /** The offset wanted next. */
  readonly offset: number
  /** True when the receiver's disk holds everything up to lastIncludedIndex. */
  readonly done: boolean
}

/** Sent by a leader that hands over: the receiver starts an election at once (thesis §3.10). */
export interface TimeoutNow extends Envelope {
  readonly type: 'timeoutNow'
}

/** A node that does not lead asks its leader for a readIndex, for all reads that wait there (thesis §6.4). */
export interface ReadIndex extends Envelope {
  readonly type: 'readIndex'
  /** Names the question: each question of a node has a number of its own, also across restarts. */
  readonly question: number
}

export interface ReadIndexResponse extends Envelope {
  readonly type: 'readIndexResponse'
  /** Names the question that is answered. */
  readonly question: number
  /**
   * The readIndex, whose entry is of this very term: no leader confirms reads before it has committed one. `undefined`:
   * the node that was asked does not lead, or does not know the sender as a member.
   */
  readonly readIndex: LogIndex | undefined
}

export type Message =
  | RequestVote
  | RequestVoteResponse
  | PreVote
  | PreVoteResponse
  | AppendEntries
  | AppendEntriesResponse
  | InstallSnapshot
  | InstallSnapshotResponse
  | TimeoutNow
  | ReadIndex
  | ReadIndexResponse

export type MessageType = Message['type']

/** The entries that the message carries: none in a heartbeat. */
export function entriesIn(message: AppendEntries): readonly LogRun[] {
  return message.mode === 'replication' ? message.entries : []
}

export function isAnswer({ type }: Message): boolean {
  return (
    type === 'appendEntriesResponse' ||
    type === 'requestVoteResponse' ||
    type === 'preVoteResponse' ||
    type === 'installSnapshotResponse' ||
    type === 'readIndexResponse'
  )
}

/** True for what may be large: it travels apart, so that it never delays a vote or a heartbeat. */
export function isBulk(message: Message): boolean {
  return (
    message.type === 'installSnapshot' || (message.type === 'appendEntries' && message.mode === 'replication')
  )
}
