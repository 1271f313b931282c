/**
 * A store whose writes are remembered by the cluster's directory as well, before any message that depends on them leaves
 * the node: each term and vote, and the last entry on the disk. Terms and votes are flushed there too; elections are rare.
 */
import {
  assert,
  type EntryRun,
  type LogIndex,
  type LogRun,
  lastIndexOf,
  type Persist,
} from '../raft/index.js'
import type { PledgePlace } from './pledge.js'
import type { Compaction, Flushed, LogStore } from './store.js'

export class PledgedStore implements LogStore {
  readonly #store: LogStore
  readonly #place: PledgePlace
  readonly #lock: { release(): void } | undefined
  /** The write that is with the store, and the caller that is told of its flush. */
  #persist: Persist | undefined
  #flushed: Flushed | undefined
  /** One function for all writes, so that a write makes no other. */
  readonly #written = (error: Error | undefined): void => {
    const persist = this.#persist
    const flushed = this.#flushed
    assert(persist !== undefined && flushed !== undefined, 'only what was given to the store is flushed')
    this.#persist = undefined
    this.#flushed = undefined
    flushed(error ?? this.#kept(() => this.#remember(persist)))
  }

  /** `lock` is released once the store is closed. */
  constructor(store: LogStore, place: PledgePlace, lock?: { release(): void }) {
    this.#store = store
    this.#place = place
    this.#lock = lock
  }

  write(persist: Persist, flushed: Flushed): void {
    assert(this.#flushed === undefined, 'a node gives its store one write at a time')
    const { truncateFrom, install } = persist
    const keptTo = install?.index ?? (truncateFrom === undefined ? undefined : truncateFrom - 1)
    const error = keptTo === undefined ? undefined : this.#kept(() => this.#holdNoMoreThan(keptTo))
    if (error !== undefined) return flushed(error)
    this.#persist = persist
    this.#flushed = flushed
    this.#store.write(persist, this.#written)
  }

  writeSnapshotChunk(
    snapshot: { readonly index: number; readonly term: number },
    offset: number,
    data: Uint8Array,
    flushed: Flushed,
  ): void {
    this.#store.writeSnapshotChunk(snapshot, offset, data, flushed)
  }

  compact(compaction: Compaction, flushed: Flushed): void {
    this.#store.compact(compaction, flushed)
  }

  readEntries(run: LogRun): EntryRun | undefined {
    return this.#store.readEntries(run)
  }

  readSnapshot(index: number, offset: number, length: number): Uint8Array | undefined {
    return this.#store.readSnapshot(index, offset, length)
  }

  retainSnapshots(indexes: ReadonlySet<number>): void {
    this.#store.retainSnapshots(indexes)
  }

  async close(): Promise<void> {
    try {
      await this.#store.close()
    } finally {
      try {
        this.#place.close()
      } finally {
        this.#lock?.release()
      }
    }
  }

  /** Entries are noted without a flush of their own. */
  #remember({ hardState, install, entries }: Persist): void {
    const run = entries.at(-1)
    const index = run === undefined ? install?.index : lastIndexOf(run)
    const term = run === undefined ? install?.term : run.term
    const hasHeld = index !== undefined && term !== undefined
    if (hardState !== undefined) {
      const { pledge } = this.#place
      this.#place.keep({ ...pledge, hardState, held: hasHeld ? { index, term } : pledge.held }, true)
    } else if (hasHeld) this.#place.hold(index, term)
  }

  /** Entries that are about to be cut off must not be missed afterwards, also when the power fails in between. */
  #holdNoMoreThan(index: LogIndex): void {
    const { pledge } = this.#place
    if (pledge.held.index > index) this.#place.keep({ ...pledge, held: { index, term: 0 } }, true)
  }

  /** The error of a pledge that could not be kept ends the store, as that of a failed flush does. */
  #kept(keep: () => void): Error | undefined {
    try {
      keep()
      return undefined
    } catch (cause) {
      return new Error(`the directory cannot remember what the node promises: ${(cause as Error).message}`, {
        cause,
      })
    }
  }
}
