/**
 * The border of the protocol. The protocol is told facts (`Input`), answers a request with its place or a refusal, and
 * answers the end of each turn with wishes (`Ready`). All of these are plain data, and nothing else changes the
 * protocol, so that a trace is a file and a replay is a loop.
 *
 * The order of effects:
 *
 * 1. Send `Ready.messages`. These messages promise nothing that a crash could take back.
 * 2. Hand `Ready.persist` to the store: writes are flushed in the order in which they came.
 * 3. If the disk has flushed before `write` returned, do what a flush asks for (below) and end another turn first. Then
 *    apply `Ready.apply`, also while the write is on its way to the disk, and tell `applied` with the last index.
 * 4. Serve each read of `Ready.reads` once its `readIndex` is applied.
 *
 * Once a write is flushed: tell `flushed`, send the messages of the write, and if the write has an `install`, restore
 * the state machine from that snapshot and tell `applied` with its index. Then end another turn.
 */
import type { MembershipChange } from './configuration.js'
import type { EntryRun, Frame, LogRun } from './entry-run.js'
import type { Message, MessageType } from './messages.js'
import type { RaftOptions } from './options.js'
import type {
  EntryId,
  HardState,
  LogIndex,
  Membership,
  NodeId,
  Reason,
  Role,
  Snapshot,
  Term,
} from './types.js'

/** Everything the protocol can be told. */
export type Input =
  /** One unit of time has passed. */
  | { readonly type: 'tick' }
  | { readonly type: 'message'; readonly message: Message }
  /** A client asks for commands to be appended. A leader takes the frame's buffer as its own. */
  | Propose
  /** A client asks for a linearizable read; `id` is the caller's, and comes back in `Ready.reads`. */
  | Read
  /** The write with this sequence, and all before it, are on disk. */
  | { readonly type: 'flushed'; readonly sequence: number }
  /** The state machine holds everything up to here: after entries were applied, and after a snapshot was restored. */
  | { readonly type: 'applied'; readonly index: LogIndex }
  /** A snapshot of our own state machine is on disk, and the entries up to and including `base` are gone from it. */
  | { readonly type: 'compacted'; readonly snapshot: Snapshot; readonly base: EntryId }
  /** The store no longer has the snapshot that was being sent to `to`. */
  | { readonly type: 'snapshotMissing'; readonly to: NodeId; readonly index: LogIndex }
  /** Start an election now instead of waiting for the timeout, unless a leader was heard within it. */
  | { readonly type: 'campaign' }
  /**
   * Start an election now, without pre-vote, and whatever this node promised its leader (thesis §3.10). A leader's
   * lease does not hold against this, so the input is for tests, and for a leader that gave up its lease.
   */
  | { readonly type: 'timeoutNow' }
  | ChangeMembership
  | TransferLeadership
  /**
   * Replaces the election timeout that was drawn, until the next draw. Allowed is the range of a draw:
   * `electionTimeoutTicks` + 1 to 2 × `electionTimeoutTicks`.
   */
  | { readonly type: 'setElectionTimeout'; readonly ticks: number }
  | EndTurn

export interface Propose {
  readonly type: 'propose'
  readonly frame: Frame
  /** Whether the frame is one of a client's session, so that its first command is the session's header. */
  readonly isOfSession?: boolean | undefined
}

export interface Read {
  readonly type: 'read'
  readonly id: number
  /**
   * The read is to be served by this node whether it leads or not: a node that does not lead asks its leader for the
   * readIndex. Left out: only a leader takes the read.
   */
  readonly isServedHere?: boolean
}

/** An operator asks for other members (§6). A leader appends the configuration that the changes lead to. */
export interface ChangeMembership {
  readonly type: 'changeMembership'
  readonly changes: readonly MembershipChange[]
}

/**
 * An operator asks the leader to hand over to `to`, or to the voter whose log is longest (thesis §3.10). How it ended
 * is told by the event `transferEnded`.
 */
export interface TransferLeadership {
  readonly type: 'transfer'
  readonly to: NodeId | undefined
}

/** All facts of this turn were told: what the protocol wishes now comes back, so that a turn is a batch. */
export interface EndTurn {
  readonly type: 'endTurn'
  /**
   * This node's clock in ticks, read after all that was told. `undefined`: rounds of heartbeats alone confirm reads.
   */
  readonly now: number | undefined
  /** Whether the store takes a write. */
  readonly mayWrite: boolean
  /** Bytes of entries to apply in this turn; a larger run comes alone. */
  readonly applyBytesMax: number
}

/** The answer of `Raft.step` to an input. */
export type Answer<Told extends Input> = Told extends Propose
  ? Proposed | Refusal
  : Told extends Read
    ? Refusal | undefined
    : Told extends ChangeMembership
      ? Proposed | OperationRefusal
      : Told extends TransferLeadership
        ? OperationRefusal | undefined
        : Told extends EndTurn
          ? Ready
          : undefined

/** Sees all that a node's protocol is told, before the protocol takes it. A run is the same again from what it saw. */
export interface Recorder {
  begins(options: RaftOptions): void
  told(input: Input): void
}

/** Why a request was not taken. Nothing of it will happen, and nothing has changed. */
export interface Refusal {
  /** `transferring`: the leader is handing over, and takes no commands until that has ended. */
  readonly code: 'notLeader' | 'overloaded' | 'transferring' | 'malformed'
  /** The leader as far as this node knows. */
  readonly leaderId: NodeId | undefined
}

/** Why an operator's request was not taken. Nothing of it will happen, and nothing has changed. */
export interface OperationRefusal {
  readonly code:
    | 'notLeader'
    /** The leader is handing over, and takes no changes until that has ended. */
    | 'transferring'
    /** The leader has not committed an entry of its own term, or a change before this one has not ended. */
    | 'changeInProgress'
    /** A learner that is to be promoted is too far behind, or too few nodes answer the leader. */
    | 'notCaughtUp'
    /** The change, or the transfer, is none that this cluster could make. */
    | 'invalid'
  /** The leader as far as this node knows. */
  readonly leaderId: NodeId | undefined
  /** The obstacle, in words. */
  readonly why: string
}

export interface Proposed {
  /** The place of the frame's first command. It happened once an entry with this very id is applied. */
  readonly first: EntryId
}

/** Part of a snapshot that a leader sends us, to be written at `offset`; 0 begins it anew. */
export interface SnapshotChunk {
  readonly snapshot: Snapshot
  readonly offset: number
  readonly data: Uint8Array
}

/**
 * One transaction for the store: everything that is not on disk yet. Its parts take effect in the order of
 * the fields, all or none.
 */
export interface Persist {
  /** Counted from 1; told back by `flushed`. */
  readonly sequence: number
  /** `undefined`: as before. */
  readonly hardState: HardState | undefined
  readonly snapshotChunks: readonly SnapshotChunk[]
  /**
   * The received snapshot is whole, and the log does not hold its last entry (Figure 13, rule 7): it replaces the log,
   * and every entry is dropped, also those after the snapshot. Until the state machine holds it, `Ready.apply` is
   * empty, so that nothing is applied to the old state.
   */
  readonly install: Snapshot | undefined
  /** Remove the entries from this index on, before any is appended. */
  readonly truncateFrom: LogIndex | undefined
  readonly entries: readonly EntryRun[]
  /** To be sent only once all of the above is flushed: votes and acknowledgements promise durability. */
  readonly messages: readonly Message[]
}

/** True when there is something for the disk, and not only messages that waited for an earlier write. */
export function needsFlush(persist: Persist): boolean {
  return (
    persist.hardState !== undefined ||
    persist.entries.length > 0 ||
    persist.truncateFrom !== undefined ||
    persist.snapshotChunks.length > 0 ||
    persist.install !== undefined
  )
}

/** Reads that may be served once `readIndex` is applied (thesis §6.4), or that no longer can be. */
export interface ReadState {
  readonly ids: readonly number[]
  /** `undefined`: the leader was lost before it confirmed the read. Ask again, the next leader or another node. */
  readonly readIndex: LogIndex | undefined
}

/** Why a message was not taken. A message that is not taken has changed nothing. */
export type DropReason =
  /** One of the message's numbers is no whole number from 0 to `countMax`, or an id is 0. */
  | 'notACount'
  /** The message is not from a peer to this node. */
  | 'misdirected'
  /** The message's fields contradict each other, or its type is unknown. */
  | 'contradictory'
  /** The message answers what this node never asked: a match beyond the end of the leader's log is an example. */
  | 'neverAsked'
  /** The message is an answer, and its sender is no member. */
  | 'notAMember'

/** The cause of a change of role: its reason, and the figures or the message behind it. */
export type Cause =
  | {
      readonly reason: Extract<Reason, 'electionTimeout'>
      /** Ticks since the node last heard its leader, gave its vote, adopted a term or campaigned. */
      readonly elapsedTicks: number
      /** A follower lacks its leader's heartbeat, or knows of no leader; a node that campaigned lacks a majority. */
      readonly lacking?: 'heartbeat' | 'leader' | 'majority'
    }
  | {
      readonly reason: Extract<Reason, 'quorumLost' | 'diskStalled'>
      /** Ticks without a majority, or without a finished write. */
      readonly elapsedTicks: number
    }
  | {
      readonly reason: Extract<Reason, 'preVoteWon' | 'electionWon' | 'electionLost'>
      /** The nodes that decided the vote: those that granted it, or those that refused. */
      readonly decidedBy: readonly NodeId[]
    }
  | {
      readonly reason: Extract<Reason, 'higherTerm' | 'leaderDiscovered' | 'transfer'>
      readonly from: NodeId
      readonly messageType: MessageType
    }
  | { readonly reason: Extract<Reason, 'campaign' | 'removed'> }

/** Why a voter gives a candidate its vote, or does not. */
export type VoteReason =
  /** Granted: the candidate's log holds all that the voter's log holds. */
  | 'logUpToDate'
  /** Granted again, to the candidate that has the vote of this term already. */
  | 'votedBefore'
  /** Refused: the voter knows of a later term. */
  | 'earlierTerm'
  /** Refused: another candidate has the vote of this term. */
  | 'votedForAnother'
  /** Refused: the voter's log holds entries that the candidate's log does not. */
  | 'logBehind'
  /** Refused: the voter lost its disk, and votes for nobody before it has caught up [EL21]. */
  | 'diskLost'
  /** Not answered at all: the voter leads, or heard a leader within an election timeout. */
  | 'leaderMayBeAlive'

/** What happened, and why: for people and for tests, not for the driver. */
export type RaftEvent =
  | ({
      readonly type: 'role'
      readonly role: Role
      readonly term: Term
      readonly leaderId: NodeId | undefined
    } & Cause)
  | {
      /** A candidate asked this node for its vote in `term`, or, with a pre-vote, whether it would get that vote. */
      readonly type: 'voteAnswered'
      readonly candidateId: NodeId
      readonly term: Term
      readonly isPreVote: boolean
      readonly voteGranted: boolean
      readonly reason: VoteReason
    }
  | {
      /** The node goes by another configuration, or learned that the one that it goes by is committed. */
      readonly type: 'membership'
      readonly index: LogIndex
      readonly membership: Membership
      readonly isCommitted: boolean
    }
  /** A leader began to hand over to `to`. */
  | { readonly type: 'transferBegan'; readonly to: NodeId }
  /**
   * The handing over ended. With `isDone`, the leadership ended after `to` was told to take over. Without, it was given
   * up after an election timeout, or the leadership ended before `to` was told.
   */
  | { readonly type: 'transferEnded'; readonly to: NodeId; readonly isDone: boolean }
  | { readonly type: 'messageDropped'; readonly from: NodeId; readonly reason: DropReason }
  | { readonly type: 'snapshotSending'; readonly to: NodeId; readonly index: LogIndex }
  | { readonly type: 'snapshotInstalling'; readonly from: NodeId; readonly index: LogIndex }

/**
 * The protocol's wishes at the end of a turn. Each comes once, but for `apply`, which comes again until `applied` is
 * told.
 */
export interface Ready {
  /** May leave at once, before anything is flushed (thesis §10.2.1). */
  readonly messages: readonly Message[]
  /** All that is not on its way to the disk yet. `undefined`: there is nothing, or the store takes no write. */
  readonly persist: Persist | undefined
  /** The committed entries after lastApplied, in order. What is not applied comes again. */
  readonly apply: readonly LogRun[]
  /** Whether committed entries after those of `apply` are left for a turn to come. */
  readonly hasMore: boolean
  readonly reads: readonly ReadState[]
  readonly events: readonly RaftEvent[]
}
