/** The store as a simulated node sees it: its answers wait while the node is stopped, and are looked at. */
import type { EntryRun, NodeId, Persist, RaftView, StoredRun } from '../raft/index.js'
import type { LogStore } from '../storage/index.js'
import { type MomentName, writtenIn } from './moments.js'
import type { NodeDisk } from './node-disk.js'
import type { World } from './world.js'

type Flushed = Parameters<LogStore['write']>[1]

/** The node that writes. */
interface Writer {
  readonly id: NodeId
  readonly state: RaftView | undefined
  readonly disk: NodeDisk
}

export class WatchedStore implements LogStore {
  readonly #store: LogStore
  readonly #node: Writer
  readonly #world: World
  /** Runs `work` in the node, when it runs. */
  readonly #inNode: (work: () => void) => void
  readonly #passes: (moment: MomentName) => void

  constructor(
    store: LogStore,
    node: Writer,
    world: World,
    inNode: (work: () => void) => void,
    passes: (moment: MomentName) => void,
  ) {
    this.#store = store
    this.#node = node
    this.#world = world
    this.#inNode = inNode
    this.#passes = passes
  }

  write(persist: Persist, flushed: Flushed): void {
    const { tracer, counts } = this.#world
    const { id, disk } = this.#node
    tracer.record(id, { type: 'writing', persist })
    for (const run of persist.entries) disk.durable.expect(run.index)
    if (disk.isStalled) counts.stalledWrites++
    if (persist.install !== undefined) {
      counts.snapshotsInstalled++
      disk.logSize.shrinks(disk.durable)
    }
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
    this.#watch(what, ['ownSnapshot'], this.#watchedSize(flushed), (told) =>
      this.#store.writeSnapshotChunk(snapshot, offset, data, told),
    )
  }

  compact(compaction: Parameters<LogStore['compact']>[0], flushed: Flushed): void {
    const { snapshot, base } = compaction
    const { id, state, disk } = this.#node
    this.#world.counts.snapshotsTaken++
    this.#world.script?.cut(id)
    if (state !== undefined) disk.logSize.cuts(state, disk.durable, compaction)
    const hasFlushed = this.#watchedSize((error) => {
      flushed(error)
      if (error === undefined && state !== undefined) disk.logSize.hasCut(disk.durable, compaction)
    })
    const what = `the snapshot at ${snapshot.index}, and cut the log up to ${base.index}`
    this.#watch(what, ['logCut'], hasFlushed, (told) => this.#store.compact(compaction, told))
  }

  readEntries(run: StoredRun): EntryRun | undefined {
    this.#world.counts.runsReadBack++
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

  /** The size of the log counts a write of the node's own snapshot as under way until the node is told. */
  #watchedSize(flushed: Flushed): Flushed {
    const { logSize } = this.#node.disk
    logSize.writes()
    return (error) => {
      logSize.hasWritten()
      flushed(error)
    }
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
      if (error === undefined) this.#world.script?.flushed(this.#node.id)
      this.#inNode(() => {
        this.#world.tracer.record(
          this.#node.id,
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
