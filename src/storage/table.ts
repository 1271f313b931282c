/**
 * The little that a store asks of its disk: an ordered table with transactions. LMDB is one, the memory that
 * survives a simulated crash is another; everything else of a store is written once, above this line.
 */
import type { Flushed } from './store.js'

/** One key to be put, or to be removed when `value` is `undefined`. */
export interface Change {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

export interface Row {
  readonly key: Uint8Array
  /** In a buffer of its own. */
  readonly value: Uint8Array
}

export interface Table {
  /**
   * True when values are kept in this process: a run's bytes may then belong to another node as well, so
   * they are copied before they are sealed.
   */
  readonly sharesMemory: boolean

  /** What the last flushed transaction left under this key, copied. */
  get(key: Uint8Array): Uint8Array | undefined

  /** All rows from `from` up to but without `to`, in the order of their keys. */
  rows(from: Uint8Array, to: Uint8Array): Iterable<Row>

  /** As `rows`, without reading the values. */
  keys(from: Uint8Array, to: Uint8Array): Iterable<Uint8Array>

  /**
   * One transaction. Transactions are flushed in the order in which they were given; several may wait.
   * After a failed one no other is tried: its error goes to all that follow. `flushed` is called from a later turn.
   */
  commit(changes: readonly Change[], flushed: Flushed): void

  /** As `commit`; a disk that is quick may be waited for, and then `flushed` is called before this returns. */
  commitSoon(changes: readonly Change[], flushed: Flushed): void

  /** A transaction that is flushed on return. Only while a store is being opened. */
  commitNow(changes: readonly Change[]): void

  /** Waits for what was committed and lets go of every handle. */
  close(): Promise<void>
}
