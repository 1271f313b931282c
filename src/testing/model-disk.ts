/**
 * A disk in memory that forgets like a real one: what was handed over and not flushed is gone after a
 * crash. It knows nothing of records and checksums; stores have a suite of their own.
 */
import {
  type EntryId,
  type EntryRun,
  type HardState,
  lastIndexOf,
  logOrigin,
  type Persist,
  type RaftOptions,
  recoveredRunOf,
  type Snapshot,
  type StoredRun,
  sliceRun,
} from '../raft/index.js'
import { cloneMessage, cloneRun } from '../transport/index.js'
import { type LogSpec, lastOf, runsOf } from './log-spec.js'

/** What a disk holds before its node starts for the first time. */
export interface DiskSetup {
  readonly log?: LogSpec
  readonly hardState?: HardState
  /** A whole snapshot with its bytes; the log then begins after `base`, or after the snapshot. */
  readonly snapshot?: { readonly meta: Snapshot; readonly data: Uint8Array }
  readonly base?: EntryId
}

interface PartialSnapshot {
  readonly snapshot: Snapshot
  readonly bytes: number[]
}

/** One node's disk. Writes become durable one by one and in order, when `flushNext` is called. */
export class ModelDisk {
  /** While true, writes pile up unflushed: a stalled disk. */
  isHeld = false
  /** Writes that may be unflushed at once; a node with as many takes no further one. */
  writesInFlightMax = Number.POSITIVE_INFINITY

  #hardState: HardState
  #snapshot: Snapshot | undefined
  #base: EntryId
  #entries: EntryRun[]
  readonly #snapshots = new Map<number, Uint8Array>()
  #partial: PartialSnapshot | undefined
  readonly #unflushed: Persist[] = []

  constructor(setup: DiskSetup = {}) {
    const { snapshot, base = snapshot?.meta ?? logOrigin } = setup
    this.#base = { index: base.index, term: base.term }
    this.#entries = runsOf(setup.log ?? [], base)
    const { term } = lastOf(this.#entries, this.#base)
    this.#hardState = setup.hardState ?? { currentTerm: term, votedFor: undefined }
    this.#snapshot = snapshot?.meta
    if (snapshot !== undefined) this.#snapshots.set(snapshot.meta.index, snapshot.data)
  }

  /** What a node finds when it starts: flushed writes and nothing else. */
  recover(): NonNullable<RaftOptions['recovered']> {
    const entries = this.#entries.map(recoveredRunOf)
    return { hardState: this.#hardState, snapshot: this.#snapshot, base: this.#base, entries }
  }

  /** The entries of a flushed run, copied; `undefined` when they are cut off. */
  readEntries({ index, count }: StoredRun): EntryRun | undefined {
    const last = index + count - 1
    const record = this.#entries.find((run) => run.index <= index && lastIndexOf(run) >= last)
    return record && cloneRun(sliceRun(record, index, last))
  }

  /** The flushed entries themselves, for a look; a node is given copies. */
  get entries(): readonly EntryRun[] {
    return this.#entries
  }

  /** The entry before the first one kept. */
  get base(): EntryId {
    return this.#base
  }

  get hasRoom(): boolean {
    return this.#unflushed.length < this.writesInFlightMax
  }

  /** How many writes were handed over and are not flushed. */
  get unflushedCount(): number {
    return this.#unflushed.length
  }

  write(persist: Persist): void {
    const { entries, snapshotChunks, messages } = persist
    this.#unflushed.push({
      ...persist,
      entries: entries.map(cloneRun),
      snapshotChunks: snapshotChunks.map((chunk) => ({ ...chunk, data: new Uint8Array(chunk.data) })),
      messages: messages.map(cloneMessage),
    })
  }

  /** Makes the oldest write durable and returns it; `undefined` when none waits. */
  flushNext(): Persist | undefined {
    const persist = this.#unflushed.shift()
    if (persist === undefined) return undefined
    if (persist.hardState !== undefined) this.#hardState = persist.hardState
    for (const { snapshot, offset, data } of persist.snapshotChunks) {
      if (offset === 0) this.#partial = { snapshot, bytes: [] }
      if (this.#partial?.snapshot.index !== snapshot.index || this.#partial.bytes.length !== offset) {
        throw new Error('a chunk of a snapshot continues the one before')
      }
      this.#partial.bytes.push(...data)
    }
    if (persist.install !== undefined) this.#install(persist.install)
    if (persist.truncateFrom !== undefined) this.#truncate(persist.truncateFrom)
    for (const run of persist.entries) {
      if (run.index !== lastOf(this.#entries, this.#base).index + 1) {
        throw new Error('entries on disk follow each other')
      }
      this.#entries.push(run)
    }
    return persist
  }

  /** Makes a snapshot of the node's own state machine durable, and drops the log up to `base`. */
  compact(snapshot: Snapshot, data: Uint8Array, base: EntryId): void {
    this.#snapshot = snapshot
    this.#snapshots.set(snapshot.index, data)
    if (base.index <= this.#base.index) return
    const kept = this.#entries.filter((run) => lastIndexOf(run) > base.index)
    this.#entries = kept.map((run) => sliceRun(run, Math.max(run.index, base.index + 1), lastIndexOf(run)))
    this.#base = base
  }

  /** The bytes of a whole snapshot; `undefined` when the disk has none at that index. */
  snapshotData(index: number): Uint8Array | undefined {
    return this.#snapshots.get(index)
  }

  /** Forgets a snapshot, as a store does once a newer one came. */
  dropSnapshot(index: number): void {
    this.#snapshots.delete(index)
  }

  /** Everything that was not flushed is gone. */
  crash(): void {
    this.#unflushed.length = 0
    this.#partial = undefined
  }

  #install(snapshot: Snapshot): void {
    if (this.#partial?.bytes.length !== snapshot.size) throw new Error('a snapshot is installed whole')
    this.#snapshots.set(snapshot.index, Uint8Array.from(this.#partial.bytes))
    this.#partial = undefined
    this.#snapshot = snapshot
    this.#base = { index: snapshot.index, term: snapshot.term }
    this.#entries = []
  }

  #truncate(from: number): void {
    const kept = this.#entries.filter((run) => run.index < from)
    this.#entries = kept.map((run) => sliceRun(run, run.index, Math.min(lastIndexOf(run), from - 1)))
  }
}
