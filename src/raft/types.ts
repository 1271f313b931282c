/** The nouns of the protocol (Figure 2), shared by every file of this folder and by the floors above. */

/** A node's identity: a positive integer, never reused for another node of the cluster. */
export type NodeId = number

/** The largest term, index, id, offset or count that is taken. The sum of two of them is still exact. */
export const countMax = 2 ** 52

/** True for whole numbers that arithmetic keeps exact: NaN, Infinity, fractions and 2^53 are none. */
export function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= countMax
}

export function isNodeId(id: NodeId): boolean {
  return isCount(id) && id > 0
}

/** A term: a positive integer once a first election began, 0 before (§5.1). */
export type Term = number

/** A position in the log, counted from 1; 0 stands before the first entry. */
export type LogIndex = number

/** What names an entry: two logs that hold the same pair hold the same entries up to it (§5.3). */
export interface EntryId {
  readonly index: LogIndex
  readonly term: Term
}

/** The place before the first entry of an uncut log. */
export const logOrigin: EntryId = Object.freeze({ index: 0, term: 0 })

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader'

/** What must be on disk before any answer that depends on it leaves the node (Figure 2, persistent state). */
export interface HardState {
  readonly currentTerm: Term
  readonly votedFor: NodeId | undefined
}

/** The hard state alone, out of an object that has more fields, or that leaves `votedFor` out. */
export function hardStateOf({ currentTerm, votedFor }: HardState): HardState {
  return { currentTerm, votedFor }
}

/**
 * Who takes part. A joint configuration (§6) has a non-empty `votersOutgoing`, and then every decision
 * needs a majority of both halves. Learners receive the log and decide nothing (thesis §4.2.1), unless they are
 * outgoing voters as well: those become learners when the joint configuration is left.
 */
export interface Membership {
  readonly voters: readonly NodeId[]
  readonly votersOutgoing: readonly NodeId[]
  readonly learners: readonly NodeId[]
}

/**
 * What identifies a snapshot of the state machine (§7): the last entry it contains, the membership as of
 * that entry, and its length in bytes.
 */
export interface Snapshot {
  readonly index: LogIndex
  readonly term: Term
  readonly membership: Membership
  readonly size: number
}

/** Why a node changed its role, or did not. Every role event carries one. */
export type Reason =
  /** No leader was heard for a whole election timeout. */
  | 'electionTimeout'
  /** A test or an operator asked for an election. */
  | 'campaign'
  /** A majority said that it would vote for this node. */
  | 'preVoteWon'
  /** A majority voted for this node. */
  | 'electionWon'
  /** A majority refused its vote or its pre-vote. */
  | 'electionLost'
  /** A message came from a later term (§5.1). */
  | 'higherTerm'
  /** A leader of this term made itself known. */
  | 'leaderDiscovered'
  /** A leader heard no majority for a whole election timeout (thesis §6.2). */
  | 'quorumLost'
  /** A leader's own disk finished nothing for a whole election timeout. */
  | 'diskStalled'
  /** The leader asked this node to take over (thesis §3.10). */
  | 'transfer'
  /** The configuration without this leader is committed (thesis §4.2.2). */
  | 'removed'

/** Raised when one of our own invariants does not hold: the node must stop, its state is not to be trusted. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
}

/** Also of another copy of this module: nodes and the machines of users load copies of their own. */
export function isInvariantViolation(error: unknown): error is Error {
  return error instanceof Error && error.name === 'InvariantViolation'
}

/** Stays on in production: a wrong answer costs more than a stopped node. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new InvariantViolation(invariant)
}
