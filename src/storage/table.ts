/**
 * The little that a store asks of its disk: an ordered table with transactions. LMDB is one, the memory that
 * survives a simulated crash is another; everything else of a store is written once, above this line.
 */
/** One key to be put, or to be removed when `value` is `undefined`. */
export interface Change {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/**
 * Changes that are flushed together or not at all. An object with a method instead of a callback: V8 forgets the
 * compiled code of a function that nobody holds between two calls.
 */
export interface Transaction {
  readonly changes: readonly Change[]
  /** Told exactly once: after the flush, or with the error that stopped it. */
  flushed(error: Error | undefined): void
}

export interface Row {
  readonly key: Uint8Array
  /** In a buffer of its own. */
  readonly value: Uint8Array
}

/** A table that is only read. */
export type ReadTable = Pick<Table, 'get' | 'rows' | 'keys'>

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
   * Transactions are flushed in the order in which they were given; several may wait.
   * After a failed one no other is tried: its error goes to all that follow. `flushed` is called from a later turn.
   */
  commit(transaction: Transaction): void

  /** As `commit`; a disk that is quick may be waited for, and then `flushed` is called before this returns. */
  commitSoon(transaction: Transaction): void

  /** Flushed on return. Only while a store is being opened. */
  commitNow(changes: readonly Change[]): void

  /** Waits for what was committed and lets go of every handle. */
  close(): Promise<void>
}
