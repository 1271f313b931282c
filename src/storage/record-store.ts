/**
 * The store over any table: what each write means in rows. All that it knows of the log moves when a write is
 * given, and a write that fails is the last one, so nothing is ever taken back.
 */

import type {
  EntryId,
  EntryRun,
  HardState,
  LogIndex,
  Membership,
  NodeId,
  Persist,
  Snapshot,
} from '../raft/index.js'
import { assert, sliceRun } from '../raft/index.js'
import type { Chain } from './chain.js'
import { logKey, noteKeys } from './keys.js'
import type { Pointers, StoredSnapshot } from './notes.js'
import { chainOrigin, DamageError, openRun, sealNote, sealRun } from './record.js'
import { type Found, recover } from './recovery.js'
import { type Pieces, Shelf, type Writer } from './shelf.js'
import type { Compaction, Flushed, LogStore, Recovered } from './store.js'
import type { Sweep } from './sweep.js'
import type { Change, Table } from './table.js'

/** A store that is open, and what it found. */
export interface OpenStore {
  readonly store: LogStore
  readonly recovered: Recovered
}

/** Opens the store that lies in a table. Throws when what is there cannot be trusted, or is someone else's. */
export function openRecordStore(
  table: Table,
  owner: { readonly nodeId: NodeId; readonly membership: Membership },
): OpenStore {
  const found = recover(table, owner)
  return { store: new RecordStore(table, found), recovered: found.recovered }
}

/** What one write becomes. */
interface Batch {
  readonly changes: Change[]
  /** Records that it puts into the log, by first entry. */
  readonly records: Map<LogIndex, Uint8Array>
  /** The snapshot that is the newest once it is flushed. */
  published: Pieces | undefined
}

class RecordStore implements LogStore {
  readonly #table: Table
  readonly #chain: Chain
  readonly #shelf: Shelf
  readonly #sweep: Sweep
  /** The entry before the first one kept. Moves up with `compact` and `install`. */
  #base: EntryId
  #snapshot: StoredSnapshot | undefined
  /** Records that the table cannot read back yet: truncation may need the first part of one. */
  readonly #unflushed = new Map<LogIndex, Uint8Array>()
  /** A record found damaged while running ends the store as a failed flush does. */
  #damage: Error | undefined

  constructor(table: Table, { pointers, chain, newestPieces, nextGeneration, sweep }: Found) {
    this.#table = table
    this.#chain = chain
    this.#sweep = sweep
    this.#shelf = new Shelf(newestPieces, nextGeneration, sweep)
    this.#base = pointers.base
    this.#snapshot = pointers.snapshot
  }

  write(persist: Persist, flushed: Flushed): void {
    this.#commit('soon', flushed, (batch) => {
      if (persist.hardState !== undefined) batch.changes.push(noteChange('hardState', persist.hardState))
      for (const { snapshot, offset, data } of persist.snapshotChunks) {
        batch.changes.push(...this.#shelf.write('received', snapshot, offset, data))
      }
      if (persist.install !== undefined) this.#install(batch, persist.install)
      if (persist.truncateFrom !== undefined) this.#truncate(batch, persist.truncateFrom)
      for (const run of persist.entries) this.#append(batch, run)
      const isLogChanged = persist.install !== undefined || persist.truncateFrom !== undefined
      if (isLogChanged || persist.entries.length > 0) batch.changes.push(this.#pointersChange())
    })
  }

  writeSnapshotChunk(snapshot: EntryId, offset: number, data: Uint8Array, flushed: Flushed): void {
    this.#commit('later', flushed, (batch) => {
      batch.changes.push(...this.#shelf.write('own', snapshot, offset, data))
    })
  }

  compact({ snapshot, base }: Compaction, flushed: Flushed): void {
    this.#commit('later', flushed, (batch) => {
      assert(
        base.index <= snapshot.index && base.index >= this.#base.index,
        'the log is cut behind its snapshot',
      )
      this.#adopt(batch, 'own', snapshot)
      this.#base = base
      this.#sweep.addRecords(this.#chain.cut(base.index))
      batch.changes.push(this.#pointersChange())
    })
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

  #install(batch: Batch, snapshot: Snapshot): void {
    this.#adopt(batch, 'received', snapshot)
    this.#base = { index: snapshot.index, term: snapshot.term }
    const removed = this.#chain.restart(snapshot.index, chainOrigin)
    // New entries come under the keys after the snapshot: what lies there goes now, the rest may wait.
    removeRecords(
      batch,
      removed.filter((start) => start > snapshot.index),
    )
    this.#sweep.addRecords(removed.filter((start) => start <= snapshot.index))
  }

  #adopt(batch: Batch, writer: Writer, snapshot: Snapshot): void {
    assert(snapshot.index > (this.#snapshot?.index ?? 0), 'a newer snapshot replaces an older one')
    const { pieces, stored } = this.#shelf.finish(writer, snapshot)
    this.#snapshot = stored
    batch.published = pieces
  }

  #truncate(batch: Batch, from: LogIndex): void {
    assert(from > this.#base.index, 'a log is truncated after its base')
    const removed = this.#chain.truncate(from)
    const start = removed[0]
    const head = start !== undefined && start < from ? this.#headOf(start, from, batch) : undefined
    removeRecords(batch, removed)
    if (head !== undefined) this.#append(batch, head)
  }

  /** The entries before `from` of the record that begins at `start`. */
  #headOf(start: LogIndex, from: LogIndex, batch: Batch): EntryRun {
    const record = batch.records.get(start) ?? this.#unflushed.get(start) ?? this.#table.get(logKey(start))
    return sliceRun(openRun(record, start, this.#chain.tail), start, from - 1)
  }

  #append(batch: Batch, run: EntryRun): void {
    const bytes = this.#table.sharesMemory ? run.bytes.slice() : run.bytes
    const checksum = sealRun(bytes, this.#chain.tail)
    this.#chain.append(run.index, run.count, checksum)
    batch.records.set(run.index, bytes)
    batch.changes.push({ key: logKey(run.index), value: bytes })
  }

  #pointersChange(): Change {
    const chain = this.#chain
    const pointers: Pointers = {
      base: this.#base,
      first: { index: chain.firstIndex, previous: chain.firstPrevious },
      last: { index: chain.lastIndex, checksum: chain.tail },
      snapshot: this.#snapshot,
    }
    return noteChange('pointers', pointers)
  }

  /** One transaction of what `fill` asks for and a slice of the waste. */
  #commit(when: 'soon' | 'later', flushed: Flushed, fill: (batch: Batch) => void): void {
    const batch: Batch = { changes: [], records: new Map(), published: undefined }
    try {
      if (this.#damage === undefined) fill(batch)
    } catch (error) {
      if (!(error instanceof DamageError)) throw error
      this.#damage = error
    }
    const damage = this.#damage
    const changes = damage === undefined ? [...batch.changes, ...this.#sweep.take(batch.changes.length)] : []
    for (const [start, bytes] of batch.records) this.#unflushed.set(start, bytes)
    const settled: Flushed = (error) => {
      if (error === undefined) this.#settle(batch)
      flushed(error ?? damage)
    }
    if (when === 'soon') this.#table.commitSoon(changes, settled)
    else this.#table.commit(changes, settled)
  }

  #settle(batch: Batch): void {
    for (const [start, bytes] of batch.records) {
      // A later write may have put another record there meanwhile.
      if (this.#unflushed.get(start) === bytes) this.#unflushed.delete(start)
    }
    if (batch.published !== undefined) this.#shelf.publish(batch.published)
  }
}

function noteChange(name: 'hardState' | 'pointers', content: HardState | Pointers): Change {
  return { key: noteKeys[name], value: sealNote(name, content) }
}

function removeRecords(batch: Batch, starts: readonly LogIndex[]): void {
  for (const start of starts) batch.changes.push({ key: logKey(start), value: undefined })
}
