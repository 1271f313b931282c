/**
 * A store whose writes are remembered by the cluster's directory as well. A term or a vote is flushed there before any
 * message that depends on it leaves the node; elections are rare. The last entry on the disk is noted without a flush,
 * once the node has told of the write: so the note adds nothing to the time that a command takes.
 */
import {
  assert,
  type EntryId,
  type EntryRun,
  type LogIndex,
  lastIndexOf,
  type Persist,
  type StoredRun,
} from '../raft/index.js'
import type { Pledge, PledgePlace } from './pledge.js'
import type { Compaction, Flushed, LogStore } from './store.js'

export class PledgedStore implements LogStore {
  readonly #store: LogStore
  readonly #place: PledgePlace
  readonly #lock: { release(): void } | undefined
  /** The write that is with the store, and the caller that is told of its flush. */
  #persist: Persist | undefined
  #flushed: Flushed | undefined
  /** The last entry on the disk, while the directory has no note of it. */
  #unnoted: EntryId | undefined
  #failed: Error | undefined
  /** One function for all writes, so that a write makes no other. */
  readonly #written = (error: Error | undefined): void => {
    const [persist, flushed] = [this.#persist, this.#flushed]
    assert(persist !== undefined && flushed !== undefined, 'only what was given to the store is flushed')
    this.#persist = undefined
    this.#flushed = undefined
    flushed(error ?? this.#remember(persist))
    this.#note()
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
    const error = this.#failed ?? (keptTo === undefined ? undefined : this.#holdNoMoreThan(keptTo))
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

  readEntries(run: StoredRun): EntryRun | undefined {
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

  #remember({ hardState, install, entries }: Persist): Error | undefined {
    const run = entries.at(-1)
    const held = run === undefined ? install : { index: lastIndexOf(run), term: run.term }
    if (held !== undefined) this.#unnoted = held
    return hardState === undefined ? undefined : this.#keep({ hardState })
  }

  /** Entries that are about to be cut off must not be missed afterwards, also when the power fails in between. */
  #holdNoMoreThan(index: LogIndex): Error | undefined {
    const held = this.#unnoted ?? this.#place.pledge.held
    if (held.index <= index) return undefined
    this.#unnoted = { index, term: 0 }
    return this.#keep({})
  }

  #keep(change: Pick<Partial<Pledge>, 'hardState'>): Error | undefined {
    const { pledge } = this.#place
    const { index, term } = this.#unnoted ?? pledge.held
    this.#unnoted = undefined
    return this.#kept(() => this.#place.keep({ ...pledge, ...change, held: { index, term } }, true))
  }

  /** A write that begins while the node tells of the one before notes for both. */
  #note(): void {
    const held = this.#unnoted
    if (held === undefined) return
    this.#unnoted = undefined
    this.#failed = this.#kept(() => this.#place.hold(held.index, held.term))
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
