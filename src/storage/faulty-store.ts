/**
 * A disk that misbehaves, around any store. A fault is set by a call and lasts until another call takes it back. Time and
 * chance are the caller's, so the same faults serve in virtual time and on a real disk. A write waits here until its flush
 * may begin, and only then goes to the store within. So a write that a power loss takes from here was never written.
 */
import type { EntryRun, LogRun, Persist } from '../raft/index.js'
import { diskFullError } from './disk-full.js'
import { type Compaction, type Defer, type Flushed, type LogStore, nothing } from './store.js'

/** After a flush has failed the data may be on the disk or not; nobody can tell. */
export type FlushFate = 'written' | 'lost'

type Perform = (flushed: Flushed) => void

/** Bytes that a write takes on the disk beside those of its entries and chunks. */
const writeBytes = 64

interface Operation {
  readonly byteLength: number
  readonly perform: Perform
  /** Takes the place of `perform` when nothing is to be written. */
  readonly lose: Perform
  readonly flushed: Flushed
}

export class FaultyStore implements LogStore {
  readonly #store: LogStore
  /** True while nothing is wrong with the disk and nothing waits: all goes straight to the store within. */
  #isCalm = true
  /** The callbacks of the writes that went straight to the store within, in their order. */
  readonly #writing: Flushed[] = []
  /** A single function for all of these writes, so that a calm disk makes none. */
  readonly #written: Flushed = (error) => {
    const flushed = this.#writing.shift()
    if (!this.#isOff) flushed?.(error)
  }
  /** In the order in which they were given. The first one may be in the delay of a slow disk. */
  #waiting: Operation[] = []
  #delay: Defer | undefined
  /** Set while the first operation is in the delay of a slow disk. */
  #delayed: object | undefined
  #isStalled = false
  /** Bytes that still fit on the disk, by each of its bounds. None: it has room. */
  #bytesLeft = new Map<number, number>()
  #nextFate: FlushFate | undefined
  /** The error of the flush that failed: no write is tried after it. */
  #failure: Error | undefined
  #isOff = false
  readonly #loseSoon: Perform = (done) => this.#store.write(nothing, done)
  /** Writes nothing, as `#loseSoon` does, but by a piece of no bytes, whose callback comes in a later turn on any disk. */
  readonly #loseLater: Perform = (done) =>
    this.#store.writeSnapshotChunk({ index: 0, term: 0 }, 0, new Uint8Array(0), done)

  constructor(store: LogStore) {
    this.#store = store
  }

  /** Bytes that still fit on the disk, by each of its bounds. */
  get bytesLeft(): ReadonlyMap<number, number> {
    return this.#bytesLeft
  }

  /**
   * Each flush begins only when `delay` calls back. A flush that another delay holds back begins under this one.
   * `undefined`: flushes begin at once.
   */
  delayFlushes(delay: Defer | undefined): void {
    this.#delay = delay
    this.#delayed = undefined
    this.#goOn()
  }

  /** No flush begins any more, nor does one fail. */
  stallFlushes(): void {
    this.#isStalled = true
    this.#goOn()
  }

  /** What waited is flushed now. */
  releaseFlushes(): void {
    this.#isStalled = false
    this.#goOn()
  }

  /** The next flush to begin fails, and every later one too. `undefined`: takes this back if no flush has begun since. */
  failNextFlush(fate: FlushFate | undefined): void {
    this.#nextFate = fate
    this.#goOn()
  }

  /**
   * The first flush to begin that takes more than one of these bounds leaves finds no room. A bound that the disk has
   * already, by its number, keeps what is left of it. Without any bound there is room again.
   */
  fillDisk(bounds: ReadonlyMap<number, number>): void {
    this.#bytesLeft = new Map(Array.from(bounds, ([id, bytes]) => [id, this.#bytesLeft.get(id) ?? bytes]))
    this.#goOn()
  }

  /** Why a flush failed, if one did: its node is told in a later turn at the latest, and stops. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** What waits here is gone, and nothing is called back any more. The store within is still to be closed. */
  losePower(): void {
    this.#isOff = true
    this.#isCalm = false
    this.#waiting = []
  }

  write(persist: Persist, flushed: Flushed): void {
    if (this.#isCalm) {
      this.#writing.push(flushed)
      return this.#store.write(persist, this.#written)
    }
    const { entries, snapshotChunks } = persist
    let byteLength = 0
    for (const { bytes } of entries) byteLength += bytes.byteLength
    for (const { data } of snapshotChunks) byteLength += data.byteLength
    this.#submit(byteLength, (done) => this.#store.write(persist, done), this.#loseSoon, flushed)
  }

  writeSnapshotChunk(
    snapshot: { readonly index: number; readonly term: number },
    offset: number,
    data: Uint8Array,
    flushed: Flushed,
  ): void {
    this.#submit(
      data.byteLength,
      (done) => this.#store.writeSnapshotChunk(snapshot, offset, data, done),
      this.#loseLater,
      flushed,
    )
  }

  compact(compaction: Compaction, flushed: Flushed): void {
    this.#submit(0, (done) => this.#store.compact(compaction, done), this.#loseLater, flushed)
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

  /** A slow disk is hurried to its end; what a stalled one holds back will never be written. */
  async close(): Promise<void> {
    while (!this.#isStalled && this.#waiting.length > 0) this.#performFirst()
    const stalled = this.#waiting
    this.#waiting = []
    await this.#store.close()
    if (this.#isOff) return
    for (const { flushed } of stalled) flushed(new Error('the store is closed, and its disk had stalled'))
  }

  #submit(byteLength: number, perform: Perform, lose: Perform, flushed: Flushed): void {
    if (this.#isOff) return
    this.#waiting.push({ byteLength, perform, lose, flushed })
    this.#drain()
  }

  #goOn(): void {
    this.#drain()
    this.#isCalm =
      this.#waiting.length === 0 &&
      this.#delay === undefined &&
      !this.#isStalled &&
      this.#bytesLeft.size === 0 &&
      this.#nextFate === undefined &&
      this.#failure === undefined &&
      !this.#isOff
  }

  #drain(): void {
    while (this.#waiting.length > 0 && !this.#isStalled && this.#delayed === undefined) {
      if (this.#delay === undefined) {
        this.#performFirst()
      } else {
        const delayed = {}
        this.#delayed = delayed
        this.#delay(() => {
          if (this.#delayed !== delayed) return
          this.#delayed = undefined
          // It may have been stalled meanwhile, or the power is gone.
          if (!this.#isStalled) this.#performFirst()
          this.#drain()
        })
      }
    }
  }

  #performFirst(): void {
    const operation = this.#waiting.shift()
    if (operation === undefined) return
    const fate = this.#failure === undefined ? this.#takeFate(operation) : 'lost'
    const perform = fate === 'lost' ? operation.lose : operation.perform
    const failure = this.#failure
    perform((error) => {
      if (!this.#isOff) operation.flushed(failure ?? error)
    })
  }

  /** What becomes of the flush that begins now; `undefined`: what the store within makes of it. */
  #takeFate({ byteLength }: Operation): FlushFate | undefined {
    if (!this.#takeRoom(byteLength + writeBytes)) {
      this.#failure = diskFullError()
      return 'lost'
    }
    const fate = this.#nextFate
    if (fate !== undefined) this.#failure = new Error('the flush failed: this fault was asked for')
    return fate
  }

  /** False: so many bytes do not fit. They then count only for the bounds that are too small, and these stay exceeded. */
  #takeRoom(bytes: number): boolean {
    const bounds = [...this.#bytesLeft]
    const small = bounds.filter(([, left]) => left < bytes)
    for (const [id, left] of small.length > 0 ? small : bounds) this.#bytesLeft.set(id, left - bytes)
    return small.length === 0
  }
}
