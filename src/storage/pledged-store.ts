/**
 * A store whose term and vote are remembered by the cluster's directory as well, before any message that depends on
 * them leaves the node. Elections are rare, so the second flush that this takes is too.
 */
import type { EntryRun, HardState, LogIndex, Persist, RaftLog, StoredRun } from '../raft/index.js'
import type { PledgePlace } from './pledge.js'
import type { Compaction, Flushed, LogStore } from './store.js'

export class PledgedStore implements LogStore {
  readonly #store: LogStore
  readonly #place: PledgePlace
  readonly #lock: { release(): void } | undefined

  /** `lock` is released once the store is closed. */
  constructor(store: LogStore, place: PledgePlace, lock?: { release(): void }) {
    this.#store = store
    this.#place = place
    this.#lock = lock
  }

  write(persist: Persist, flushed: Flushed): void {
    const { hardState, truncateFrom, install } = persist
    const keptTo = install?.index ?? (truncateFrom === undefined ? undefined : truncateFrom - 1)
    const error = keptTo === undefined ? undefined : this.#kept(() => this.#holdNoMoreThan(keptTo))
    if (error !== undefined) return flushed(error)
    if (hardState === undefined) return this.#store.write(persist, flushed)
    this.#store.write(persist, (error) => flushed(error ?? this.#kept(() => this.#promise(hardState))))
  }

  /** Remembers the newest entry that is on the disk. Called once a tick. Throws when it cannot. */
  hold(log: Pick<RaftLog, 'flushedIndex' | 'termAt'>): void {
    const { pledge } = this.#place
    const index = log.flushedIndex
    if (index <= pledge.held.index) return
    const term = log.termAt(index)
    if (term !== undefined) this.#place.keep({ ...pledge, held: { index, term } }, false)
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
      this.#place.close()
      this.#lock?.release()
    }
  }

  #promise(hardState: HardState): void {
    this.#place.keep({ ...this.#place.pledge, hardState }, true)
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
