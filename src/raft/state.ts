/** The state of one node (Figure 2). One mutable object, owned by `Raft`; the rules are functions over it. */

import type { RaftEvent, ReadState, SnapshotChunk } from './border.js'
import type { Configuration } from './configuration.js'
import type { RaftLog } from './log.js'
import type { AppendEntriesResponse, HeartbeatResponse, Message } from './messages.js'
import type { RaftLimits } from './options.js'
import type { Progress } from './progress.js'
import type { Random } from './random.js'
import {
  type EntryId,
  type HardState,
  hardStateOf,
  type LogIndex,
  type NodeId,
  type Role,
  type Snapshot,
  type Term,
} from './types.js'

/** Reads that share one confirmation of leadership (thesis §6.4). */
export interface ConfirmingReads {
  readonly round: number
  readonly readIndex: LogIndex
  readonly ids: readonly number[]
  readonly questions: readonly ReadQuestion[]
}

/** The question of another node for a readIndex: a waiting read at the leader. */
export interface ReadQuestion {
  readonly from: NodeId
  readonly question: number
}

/** The question on its way to the leader, and the reads that its answer serves. */
export interface AskedReads {
  readonly question: number
  readonly ids: readonly number[]
  /** Ticks since it was sent last: it is sent again a heartbeat later. */
  elapsedTicks: number
}

/** A round of heartbeats, and when it left, in ticks of the leader's clock. */
export interface SentRound {
  readonly round: number
  readonly at: number
}

/** A leader that hands over takes no commands meanwhile. */
export interface Transfer {
  /** `undefined`: a leader that was removed waits for an answer of a voter that may lead. */
  readonly to: NodeId | undefined
  /** Ticks since it began: after an election timeout it is given up, and commands are taken again. */
  elapsedTicks: number
  /** The follower was told to start its election. */
  isToldToStart: boolean
}

/** The fields that a node has from its election until it steps down (Figure 2, volatile state on leaders). */
export interface Leadership {
  /** One for each other member. */
  readonly progress: Map<NodeId, Progress>
  /** Nodes that were removed in this term: answers of theirs may still come, and none of them is added again. */
  readonly formerMembers: NodeId[]
  /** How many rounds of heartbeats it has sent in its term. */
  heartbeatRound: number
  /** The rounds that its lease may count from, oldest first. None but round 0 where the driver hands no clock. */
  sentRounds: readonly SentRound[]
  /** Reads that wait to be confirmed. */
  waitingReads: number[]
  /** Questions of other nodes that wait to be confirmed, one a member at most. */
  waitingQuestions: ReadQuestion[]
  confirmingReads: ConfirmingReads | undefined
  /** The handing over of leadership that is going on (thesis §3.10). */
  transfer: Transfer | undefined
  /**
   * This leader told a follower to take over in this term. The message may arrive at any time, and voters' promises do
   * not hold against it, so there is no lease until the term ends.
   */
  isLeaseGivenUp: boolean
}

/** The state of a node that leads. */
export type LeaderState = RaftState & { readonly leadership: Leadership }

export function isLeader(state: Readonly<RaftState>): state is LeaderState {
  return state.leadership !== undefined
}

/** A snapshot that a leader is sending us. */
export interface IncomingSnapshot {
  readonly snapshot: Snapshot
  /** The offset wanted next. */
  offset: number
}

export interface RaftState {
  readonly id: NodeId
  readonly limits: RaftLimits
  readonly random: Random
  /** 0: this node never leads. */
  readonly priority: number
  /** The node votes for nobody before its log ends in an entry of this term or a later one [EL21]. 0 for most. */
  readonly votesFromTerm: Term

  /** Latest term this node has seen. Only ever rises; persisted before any answer in that term. */
  currentTerm: Term
  /** Who received our vote in currentTerm. Set at most once a term; persisted before the vote leaves. */
  votedFor: NodeId | undefined
  readonly log: RaftLog

  role: Role
  /** The leader of currentTerm, once it made itself known. */
  leaderId: NodeId | undefined

  /** Follower: ticks since the leader was heard or a vote was granted. Leader: since the quorum was checked. */
  electionElapsedTicks: number
  /** Ticks since a leader was heard, whatever happened since; a node that starts may have heard one just before. */
  leaderElapsedTicks: number
  /** Drawn anew at each change of role, so that split votes are rare (§5.2). */
  randomizedElectionTimeoutTicks: number
  /** Leader: ticks since the last heartbeat. Candidate: since votes were last asked for. */
  heartbeatElapsedTicks: number
  /** Ticks since our disk last finished a write, while it has one to finish. */
  diskElapsedTicks: number

  /** Number of the last campaign. The count starts at a number drawn by chance, so that two lives of a node share none. */
  campaign: number
  /** The term of the last election that this node began because its leader asked it to; 0: none. */
  transferTerm: Term
  /** Candidate and pre-candidate: the answers so far, our own included. */
  readonly votes: Map<NodeId, boolean>

  /** The leader's own fields. Invariant: set exactly while the role is `leader`. */
  leadership: Leadership | undefined

  /** At a node that does not lead: reads to be served here that wait for the next question to the leader. */
  readsToAsk: number[]
  askedReads: AskedReads | undefined
  /** Number of the last question. The count starts at a number drawn by chance, as that of campaigns does. */
  readQuestion: number
  /** The latest entry that a leader's answer told to be committed. The log need not hold it yet. */
  toldCommit: EntryId

  incomingSnapshot: IncomingSnapshot | undefined

  /** The configuration that was told last, and whether as committed. */
  toldMembership: Configuration & { readonly isCommitted: boolean }

  /** The write handed out last; writes are counted from 1. */
  writeSequence: number
  /** What each write still with the store will have made durable. */
  readonly pendingHardStates: { readonly sequence: number; readonly hardState: HardState }[]
  /** What the store was last given. */
  submittedHardState: HardState
  /** What is on disk. */
  flushedHardState: HardState

  readonly outbox: Outbox
}

/** What waits for the driver to take it. */
export interface Outbox {
  messages: Message[]
  /** Promises durability: leaves after all that is in memory now is flushed. */
  messagesAfterFlush: Message[]
  /** The newest acknowledgement that waits, so that one answer covers all entries of a flush. */
  waitingAck: AppendEntriesResponse | undefined
  snapshotChunks: SnapshotChunk[]
  install: Snapshot | undefined
  reads: ReadState[]
  events: RaftEvent[]
}

export function emptyOutbox(): Outbox {
  return {
    messages: [],
    messagesAfterFlush: [],
    waitingAck: undefined,
    snapshotChunks: [],
    install: undefined,
    reads: [],
    events: [],
  }
}

export function isSameHardState(one: HardState, other: HardState): boolean {
  return one.currentTerm === other.currentTerm && one.votedFor === other.votedFor
}

/** Our term and vote are on disk as they are in memory. */
export function isHardStateFlushed(state: RaftState): boolean {
  return isSameHardState(state.flushedHardState, hardStateOf(state))
}

/** Our disk has not finished a write for a whole election timeout. */
export function isDiskStalled(state: RaftState): boolean {
  return state.diskElapsedTicks >= state.limits.electionTimeoutTicks
}

/** Leaves at once. */
export function send(state: RaftState, message: Message): void {
  state.outbox.messages.push(message)
}

/** Leaves once our term, our vote and our log up to `index` are on disk: at once if they already are. */
export function sendOnceFlushed(state: RaftState, message: Message, index: LogIndex): void {
  if (isHardStateFlushed(state) && index <= state.log.flushedIndex) {
    send(state, message)
  } else {
    sendAfterFlush(state, message)
  }
}

/**
 * Leaves after the write that the driver takes next. Of several messages of one type to one node only one waits, the
 * newest or the answer to the latest question, so that a stalled disk gathers no queue.
 */
export function sendAfterFlush(state: RaftState, message: Message): void {
  const { messagesAfterFlush } = state.outbox
  const at = messagesAfterFlush.findIndex(({ type, to }) => type === message.type && to === message.to)
  const waiting = messagesAfterFlush[at]
  if (waiting !== undefined) {
    if (answersLater(waiting, message)) return
    messagesAfterFlush.splice(at, 1)
  }
  messagesAfterFlush.push(message)
}

function isHeartbeatAnswer(message: Message): message is HeartbeatResponse {
  return message.type === 'appendEntriesResponse' && message.mode === 'heartbeat'
}

/** True when `waiting` answers a later question than `message`: a request may come behind the one that was sent after it. */
function answersLater(waiting: Message, message: Message): boolean {
  if (isHeartbeatAnswer(waiting) && isHeartbeatAnswer(message)) return waiting.round > message.round
  if (waiting.type !== 'installSnapshotResponse' || message.type !== 'installSnapshotResponse') return false
  const isSameSnapshot = waiting.lastIncludedIndex === message.lastIncludedIndex
  return !message.done && isSameSnapshot && waiting.chunkOffset > message.chunkOffset
}
