/** The store as a simulated node sees it: its answers wait while the node is stopped, and are looked at. */
import type { EntryRun, Persist, StoredRun } from '../raft/index.js'
import type { LogStore } from '../storage/index.js'
import type { Counts } from './counts.js'
import type { Happened } from './describe.js'
import { type MomentName, writtenIn } from './moments.js'
import type { NodeDisk } from './node-disk.js'

type Flushed = Parameters<LogStore['write']>[1]

export class WatchedStore implements LogStore {
  readonly #store: LogStore
  readonly #disk: NodeDisk
  /** Runs `work` in the node, when it runs. */
  readonly #inNode: (work: () => void) => void
  readonly #record: (happened: Happened) => void
  readonly #counts: Counts
  readonly #passes: (moment: MomentName) => void

  constructor(
    store: LogStore,
    disk: NodeDisk,
    counts: Counts,
    inNode: (work: () => void) => void,
    record: (happened: Happened) => void,
    passes: (moment: MomentName) => void,
  ) {
    this.#store = store
    this.#disk = disk
    this.#counts = counts
    this.#inNode = inNode
    this.#record = record
    this.#passes = passes
  }

  write(persist: Persist, flushed: Flushed): void {
    this.#record({ type: 'writing', persist })
    for (const run of persist.entries) this.#disk.durable.expect(run.index)
    if (this.#disk.isStalled) this.#counts.stalledWrites++
    if (persist.install !== undefined) this.#counts.snapshotsInstalled++
    this.#watch(`#${persist.sequence}`, writtenIn(persist), flushed, (told) =>
      this.#store.write(persist, told),
    )
  }

  writeSnapshotChunk(
    snapshot: { readonly index: number; readonly term: number },
    offset: number,
    data: Uint8Array,
    flushed: Flushed,
  ): void {
    const what = `its own snapshot at ${snapshot.index} from ${offset}`
    this.#watch(what, ['ownSnapshot'], flushed, (told) =>
      this.#store.writeSnapshotChunk(snapshot, offset, data, told),
    )
  }

  compact(compaction: Parameters<LogStore['compact']>[0], flushed: Flushed): void {
    const { snapshot, base } = compaction
    this.#counts.snapshotsTaken++
    const what = `the snapshot at ${snapshot.index}, and cut the log up to ${base.index}`
    this.#watch(what, ['logCut'], flushed, (told) => this.#store.compact(compaction, told))
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

  /** `told` is handed to the store within. A quick disk calls it before the write returns. */
  #watch(
    what: string,
    written: ReturnType<typeof writtenIn>,
    flushed: Flushed,
    write: (told: Flushed) => void,
  ): void {
    let isUnderWay = true
    write((error) => {
      isUnderWay = false
      this.#inNode(() => {
        this.#record(
          error === undefined
            ? { type: 'flushed', what }
            : { type: 'told', what: `could not write ${what}: ${error.message}` },
        )
        if (error === undefined) for (const part of written) this.#passes(`${part}Flushed`)
        flushed(error)
      })
    })
    if (isUnderWay) for (const part of written) this.#passes(`${part}Writing`)
  }
}
