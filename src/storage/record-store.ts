/**
 * The store over any table: what each write means in rows. All that it knows of the log moves when a write is
 * given, and a write that fails is the last one, so nothing is ever taken back.
 */

import type { EntryId, EntryRun, HardState, LogIndex, LogRun, Persist, Snapshot } from '../raft/index.js'
import { assert, sliceRun } from '../raft/index.js'
import type { Chain } from './chain.js'
import { logKey, noteKeys } from './keys.js'
import type { StoredSnapshot } from './notes.js'
import { PointersNote } from './pointers-note.js'
import { chainOrigin, DamageError, openRun, sealNote, sealRun } from './record.js'
import { type Found, type Owner, recover } from './recovery.js'
import { type Pieces, Shelf, type Writer } from './shelf.js'
import type { Compaction, Flushed, LogStore, Recovered } from './store.js'
import type { Sweep } from './sweep.js'
import type { Change, Table, Transaction } from './table.js'

/** A store that is open, and what it found. */
export interface OpenStore {
  readonly store: LogStore
  readonly recovered: Recovered
}

/** Opens the store that lies in a table. Throws when what is there cannot be trusted, or is someone else's. */
export function openRecordStore(table: Table, owner: Owner): OpenStore {
  const found = recover(table, owner)
  return { store: new RecordStore(table, found), recovered: found.recovered }
}

/** What one write becomes. */
class Write implements Transaction {
  readonly changes: Change[] = []
  /** Records that it puts into the log, by first entry. */
  readonly records = new Map<LogIndex, Uint8Array>()
  /** The snapshot that is the newest once it is flushed. */
  published: Pieces | undefined
  /** Set when nothing was written because a record was found damaged. */
  damage: Error | undefined
  readonly #settle: (write: Write) => void
  readonly #tell: Flushed

  constructor(settle: (write: Write) => void, tell: Flushed) {
    this.#settle = settle
    this.#tell = tell
  }

  flushed(error: Error | undefined): void {
    if (error === undefined) this.#settle(this)
    this.#tell(error ?? this.damage)
  }
}

/** Makes the changes that are asked for. */
type Fill<Asked> = (this: RecordStore, write: Write, asked: Asked) => void

/** A piece of a snapshot of our own state machine. */
interface Chunk {
  readonly snapshot: EntryId
  readonly offset: number
  readonly data: Uint8Array
}

class RecordStore implements LogStore {
  readonly #table: Table
  readonly #chain: Chain
  readonly #shelf: Shelf
  readonly #sweep: Sweep
  readonly #pointersNote = new PointersNote()
  /** The entry before the first one kept. Moves up with `compact` and `install`. */
  #base: EntryId
  #snapshot: StoredSnapshot | undefined
  /** Records that the table cannot read back yet: truncation may need the first part of one. */
  readonly #unflushed = new Map<LogIndex, Uint8Array>()
  /** A record found damaged while running ends the store as a failed flush does. */
  #damage: Error | undefined
  readonly #settle = ({ records, published }: Write): void => {
    for (const [start, bytes] of records) {
      // A later write may have put another record there meanwhile.
      if (this.#unflushed.get(start) === bytes) this.#unflushed.delete(start)
    }
    if (published !== undefined) this.#shelf.publish(published)
  }

  constructor(table: Table, { pointers, chain, newestPieces, nextGeneration, sweep }: Found) {
    this.#table = table
    this.#chain = chain
    this.#sweep = sweep
    this.#shelf = new Shelf(newestPieces, nextGeneration, sweep)
    this.#base = pointers.base
    this.#snapshot = pointers.snapshot
  }

  write(persist: Persist, flushed: Flushed): void {
    this.#table.commitSoon(this.#filled(this.#persist, persist, flushed))
  }

  writeSnapshotChunk(snapshot: EntryId, offset: number, data: Uint8Array, flushed: Flushed): void {
    this.#table.commit(this.#filled(this.#putAside, { snapshot, offset, data }, flushed))
  }

  compact(compaction: Compaction, flushed: Flushed): void {
    this.#table.commit(this.#filled(this.#compact, compaction, flushed))
  }

  readEntries({ index, count }: LogRun): EntryRun | undefined {
    if (index <= this.#base.index) return undefined
    const { start, previous } = this.#chain.recordOf(index)
    const run = openRun(this.#table.get(logKey(start)), start, previous)
    return sliceRun(run, index, index + count - 1)
  }

  readSnapshot(index: number, offset: number, length: number): Uint8Array | undefined {
    return this.#shelf.read(this.#table, index, offset, length)
  }

  retainSnapshots(indexes: ReadonlySet<number>): void {
    this.#shelf.retain(indexes)
  }

  close(): Promise<void> {
    return this.#table.close()
  }

  #persist(write: Write, persist: Persist): void {
    if (persist.hardState !== undefined) write.changes.push(hardStateChange(persist.hardState))
    for (const { snapshot, offset, data } of persist.snapshotChunks) {
      write.changes.push(...this.#shelf.write('received', snapshot, offset, data))
    }
    if (persist.install !== undefined) this.#install(write, persist.install)
    if (persist.truncateFrom !== undefined) this.#truncate(write, persist.truncateFrom)
    for (const run of persist.entries) this.#append(write, run)
    const isLogChanged = persist.install !== undefined || persist.truncateFrom !== undefined
    if (isLogChanged || persist.entries.length > 0) write.changes.push(this.#pointersChange())
  }

  #putAside(write: Write, { snapshot, offset, data }: Chunk): void {
    write.changes.push(...this.#shelf.write('own', snapshot, offset, data))
  }

  #compact(write: Write, { snapshot, base }: Compaction): void {
    assert(
      base.index <= snapshot.index && base.index >= this.#base.index,
      'the log is cut behind its snapshot',
    )
    this.#adopt(write, 'own', snapshot)
    this.#base = base
    this.#sweep.addRecords(this.#chain.cut(base.index))
    write.changes.push(this.#pointersChange())
  }

  #install(write: Write, snapshot: Snapshot): void {
    this.#adopt(write, 'received', snapshot)
    this.#base = { index: snapshot.index, term: snapshot.term }
    const removed = this.#chain.restart(snapshot.index, chainOrigin)
    // New entries come under the keys after the snapshot: what lies there goes now, the rest may wait.
    removeRecords(
      write,
      removed.filter((start) => start > snapshot.index),
    )
    this.#sweep.addRecords(removed.filter((start) => start <= snapshot.index))
  }

  #adopt(write: Write, writer: Writer, snapshot: Snapshot): void {
    assert(snapshot.index > (this.#snapshot?.index ?? 0), 'a newer snapshot replaces an older one')
    const { pieces, stored } = this.#shelf.finish(writer, snapshot)
    this.#snapshot = stored
    write.published = pieces
  }

  #truncate(write: Write, from: LogIndex): void {
    assert(from > this.#base.index, 'a log is truncated after its base')
    const removed = this.#chain.truncate(from)
    const start = removed[0]
    const head = start !== undefined && start < from ? this.#headOf(start, from, write) : undefined
    removeRecords(write, removed)
    if (head !== undefined) this.#append(write, head)
  }

  /** The entries before `from` of the record that begins at `start`. */
  #headOf(start: LogIndex, from: LogIndex, write: Write): EntryRun {
    const record = write.records.get(start) ?? this.#unflushed.get(start) ?? this.#table.get(logKey(start))
    return sliceRun(openRun(record, start, this.#chain.tail), start, from - 1)
  }

  #append(write: Write, run: EntryRun): void {
    const bytes = this.#table.sharesMemory ? new Uint8Array(run.bytes) : run.bytes
    const checksum = sealRun(bytes, this.#chain.tail)
    this.#chain.append(run.index, run.count, checksum)
    write.records.set(run.index, bytes)
    write.changes.push({ key: logKey(run.index), value: bytes })
  }

  #pointersChange(): Change {
    return { key: noteKeys.pointers, value: this.#pointersNote.seal(this.#base, this.#chain, this.#snapshot) }
  }

  /** A write of what is asked for and a slice of the waste: empty once the log is damaged. */
  #filled<Asked>(fill: Fill<Asked>, asked: Asked, flushed: Flushed): Write {
    const write = new Write(this.#settle, flushed)
    try {
      if (this.#damage === undefined) fill.call(this, write, asked)
    } catch (error) {
      if (!(error instanceof DamageError)) throw error
      this.#damage = error
    }
    write.damage = this.#damage
    if (this.#damage !== undefined) write.changes.length = 0
    else write.changes.push(...this.#sweep.take(write.changes.length))
    for (const [start, bytes] of write.records) this.#unflushed.set(start, bytes)
    return write
  }
}

function hardStateChange(hardState: HardState): Change {
  return { key: noteKeys.hardState, value: sealNote('hardState', hardState) }
}

function removeRecords(write: Write, starts: readonly LogIndex[]): void {
  for (const start of starts) write.changes.push({ key: logKey(start), value: undefined })
}
