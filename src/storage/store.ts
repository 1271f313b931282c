/**
 * The durable log as the driver sees it. Every implementation passes the same conformance suite.
 * A store throws plain errors with a cause when it is opened; afterwards it hands them to callbacks.
 */
import type {
  EntryId,
  EntryRun,
  HardState,
  LogRun,
  Membership,
  Persist,
  Snapshot,
  Term,
} from '../raft/index.js'

/** What a store found when it was opened. */
export interface Recovered {
  readonly hardState: HardState
  readonly membership: Membership
  /** The newest whole snapshot, if there is one. */
  readonly snapshot: Snapshot | undefined
  /** The entry before the first one kept; `logOrigin` while the log was never cut. */
  readonly base: EntryId
  /**
   * Every entry after `base`, in order and without a gap. Each was read and found whole; `readEntries` has the bytes,
   * but for those of configurations, which are here.
   */
  readonly entries: readonly LogRun[]
  /** The node votes for nobody before its log ends in an entry of this term or a later one [EL21]. */
  readonly votesFromTerm: Term
}

/** The write that makes a snapshot of our own state machine the newest one and cuts the log behind it. */
export interface Compaction {
  readonly snapshot: Snapshot
  /** The last entry that is dropped; at most `snapshot.index`. */
  readonly base: EntryId
}

/** Called exactly once: after the flush, or with the error that stopped it. A failed store takes no more writes. */
export type Flushed = (error: Error | undefined) => void

/**
 * Calls back later, in a turn of its own and in the order in which it was asked: in virtual time, after as long as a
 * flush takes.
 */
export type Defer = (callback: () => void) => void

export interface LogStore {
  /**
   * Writes all parts of `persist` but its `messages` in one transaction. Writes are flushed in the order in which they were
   * given. `flushed` is called once the data would survive a power loss: before this returns if the disk is quick, and from
   * a later turn otherwise. Until then all bytes in `persist` belong to the store, so they are neither changed nor
   * transferred. The first eight bytes of a run belong to the store for good (`entry-run.ts`).
   */
  write(persist: Persist, flushed: Flushed): void

  /**
   * Puts the next piece of a snapshot of our own state machine aside, where a crash leaves nothing behind.
   * `offset` 0 begins a new one, and drops one that was not finished; any other goes on where the last chunk ended.
   * `flushed` is called from a later turn, so that a snapshot never keeps the log or a heartbeat waiting.
   */
  writeSnapshotChunk(
    snapshot: { readonly index: number; readonly term: number },
    offset: number,
    data: Uint8Array,
    flushed: Flushed,
  ): void

  /**
   * Makes the snapshot whose chunks were written the newest, and drops the log up to `base`, in one transaction.
   * It has to be newer than the newest: one that was overtaken by an `install` is given up instead. `flushed` is
   * called from a later turn.
   */
  compact(compaction: Compaction, flushed: Flushed): void

  /**
   * The entries of a run whose write was flushed, in bytes that nobody changes. `undefined` once the store was given a
   * `compact` or `install` that cuts them off. Throws when they are damaged.
   */
  readEntries(run: LogRun): EntryRun | undefined

  /**
   * Up to `length` bytes of a whole snapshot, copied, for as long as it is the newest or retained.
   * `undefined` when the store has no such snapshot.
   */
  readSnapshot(index: number, offset: number, length: number): Uint8Array | undefined

  /** Snapshots that are being sent: kept although newer ones have come. The newest is always kept. */
  retainSnapshots(indexes: ReadonlySet<number>): void

  /** Waits for the writes that were given and lets go of every handle. */
  close(): Promise<void>
}

/** A write of nothing. A store flushes it after all that it was given before, and reports a failure then. */
export const nothing: Persist = {
  sequence: 0,
  hardState: undefined,
  snapshotChunks: [],
  install: undefined,
  truncateFrom: undefined,
  entries: [],
  messages: [],
}
