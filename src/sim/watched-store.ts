/** The store as a simulated node sees it: its answers wait while the node is stopped, and are looked at. */
import type { EntryRun, Persist, StoredRun } from '../raft/index.js'
import type { LogStore } from '../storage/index.js'
import type { Counts } from './counts.js'
import type { Happened } from './describe.js'
import type { NodeDisk } from './node-disk.js'

type Flushed = Parameters<LogStore['write']>[1]

export class WatchedStore implements LogStore {
  readonly #store: LogStore
  readonly #disk: NodeDisk
  /** Runs `work` in the node, when it runs. */
  readonly #inNode: (work: () => void) => void
  readonly #record: (happened: Happened) => void
  readonly #counts: Counts

  constructor(
    store: LogStore,
    disk: NodeDisk,
    counts: Counts,
    inNode: (work: () => void) => void,
    record: (happened: Happened) => void,
  ) {
    this.#store = store
    this.#disk = disk
    this.#counts = counts
    this.#inNode = inNode
    this.#record = record
  }

  write(persist: Persist, flushed: Flushed): void {
    this.#record({ type: 'writing', persist })
    for (const run of persist.entries) this.#disk.durable.expect(run.index)
    if (this.#disk.isStalled) this.#counts.stalledWrites++
    if (persist.install !== undefined) this.#counts.snapshotsInstalled++
    this.#store.write(persist, this.#told(`#${persist.sequence}`, flushed))
  }

  writeSnapshotChunk(
    snapshot: { readonly index: number; readonly term: number },
    offset: number,
    data: Uint8Array,
    flushed: Flushed,
  ): void {
    const what = `its own snapshot at ${snapshot.index} from ${offset}`
    this.#store.writeSnapshotChunk(snapshot, offset, data, this.#told(what, flushed))
  }

  compact(compaction: Parameters<LogStore['compact']>[0], flushed: Flushed): void {
    const { snapshot, base } = compaction
    this.#counts.snapshotsTaken++
    const what = `the snapshot at ${snapshot.index}, and cut the log up to ${base.index}`
    this.#store.compact(compaction, this.#told(what, flushed))
  }

  readEntries(run: StoredRun): EntryRun | undefined {
    this.#counts.runsReadBack++
    return this.#store.readEntries(run)
  }

  readSnapshot(index: number, offset: number, length: number): Uint8Array | undefined {
    return this.#store.readSnapshot(index, offset, length)
  }

  retainSnapshots(indexes: ReadonlySet<number>): void {
    this.#store.retainSnapshots(indexes)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #told(what: string, flushed: Flushed): Flushed {
    return (error) =>
      this.#inNode(() => {
        this.#record(
          error === undefined
            ? { type: 'flushed', what }
            : { type: 'told', what: `could not write ${what}: ${error.message}` },
        )
        flushed(error)
      })
  }
}
