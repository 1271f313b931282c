/**
 * The store of the threads and inline hosts: one LMDB environment a node. `one-flush` says how a committed transaction gets
 * to the disk. One transaction is under way at a time, and all that is given meanwhile is the next one. There are two ways:
 *
 * - While the disk is quick, a write of the log is a transaction in the node's own turn. This saves two changes of threads.
 *   The parts of a snapshot that wait go with it, which saves their flush.
 * - A thread of libuv's pool writes what the log did not take along in time, and everything while the disk is slow. The
 *   node's event loop stays free meanwhile.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { RaftError } from '../errors/index.js'
import type { Membership, NodeId, Random } from '../raft/index.js'
import { flushFolder } from './durable-file.js'
import { manifestKey } from './keys.js'
import {
  type Database,
  explainedFailure,
  fileNames,
  openDatabase,
  prepareFiles,
  Room,
  rowsOf,
  transactionBytesMax,
} from './lmdb-file.js'
import {
  type Batch,
  type Flushing,
  isTornStart,
  type LmdbVersion,
  type Opening,
  openingOf,
} from './one-flush/index.js'
import { damageRemedy, emptyDiskError, type PledgePlace } from './pledge.js'
import { forgetCopy, type PowerLoss, TablePowerLoss } from './power-loss.js'
import { DamageError } from './record.js'
import { type OpenStore, openRecordStore } from './record-store.js'
import type { Change, Row, Table, Transaction } from './table.js'

export interface LmdbStoreOptions {
  /** Directory of this node alone; made when it is not there. */
  readonly dir: string
  /** Whose log it is. A directory of another node is refused. */
  readonly nodeId: NodeId
  /** The members of a new directory. A used directory has its own. */
  readonly membership: Membership
  /** Where the cluster's directory remembers the node. Left out: the directory of the log is believed. */
  readonly place?: PledgePlace
  /**
   * Bytes that the file may take; default: all that the disk has. Once the file is larger, the next write fails as on a full
   * disk; one transaction may pass the bound. A useful bound is at least twice the bytes of a snapshot and of the log up to
   * the next snapshot.
   */
  readonly bytesMax?: number
  /** Milliseconds on any clock, to tell how quick the disk is. Default: a real one. */
  readonly now?: () => number
  /** The lmdb that the installed one is taken for: a test pretends that there is another. */
  readonly lmdb?: LmdbVersion
}

/** A store on LMDB, whose power can be lost. */
export interface OpenLmdbStore extends OpenStore {
  /** The power goes at the next flush, or a moment later where nothing is written. `random` decides what is left. */
  losePower(random: Random): PowerLoss
}

/**
 * Opens the log of one node. Throws an error that says what is wrong when the log is damaged, of another node
 * or of another format, and then leaves it as it is.
 */
export function openLmdbStore({
  dir,
  nodeId,
  membership,
  place,
  bytesMax,
  now = () => performance.now(),
  lmdb,
}: LmdbStoreOptions): OpenLmdbStore {
  const path = resolve(dir)
  const file = join(path, fileNames.data)
  if (place?.pledge.hasBegun === true && !existsSync(file)) {
    throw emptyDiskError(place.pledge)
  }
  mkdirSync(path, { recursive: true })
  forgetCopy(path)
  let table: LmdbTable | undefined
  try {
    // The pledge says that the node has begun before the node says its first word. A node that has not begun has
    // acknowledged nothing, so its torn file counts as none.
    if (place?.pledge.hasBegun === false && isTornStart(path, file)) rmSync(file, { force: true })
    const opening = openingOf(path, file, lmdb)
    const opened = new LmdbTable(path, bytesMax, now, opening)
    table = opened
    if (opening.redo !== undefined) opened.redo(opening.redo)
    const { store, recovered } = openRecordStore(opened, { nodeId, membership, place })
    opened.settle()
    return { store, recovered, losePower: (random) => opened.losePower(random) }
  } catch (error) {
    table?.abandon()
    if (error instanceof RaftError) throw error
    const remedy = error instanceof DamageError ? `; ${damageRemedy(nodeId)}` : ''
    throw new Error(`the log in ${path} cannot be opened: ${(error as Error).message}${remedy}`)
  }
}

/** A disk is quick while it writes each transaction within so many milliseconds. A heartbeat can wait for that long. */
const quickMs = 5
/** At the start and after a slow transaction, so many quick ones in a row make the disk quick. */
const quickRunMin = 16

/** A part of a snapshot waits so many milliseconds for a write of the log that takes it along. */
const companyMs = 5

/** Fields that LMDB has and its types lack. */
interface LmdbStats {
  readonly mapSize: number
  /** Number of the last transaction. */
  readonly lastTxnId: number
  readonly pageSize: number
}

class LmdbTable implements Table {
  /** LMDB copies values into pages of its own, on its own thread. */
  readonly sharesMemory = false
  readonly #path: string
  readonly #room: Room
  readonly #now: () => number
  readonly #db: Database
  readonly #flushing: Flushing
  #waiting: Transaction[] = []
  /** Runs while something waits for a write of the log that takes it along. */
  #companyTimer: NodeJS.Timeout | undefined
  #isWriting = false
  /** Quick transactions since the start or the last slow one. */
  #quickRun = 0
  /** The error of the failed transaction. No other is tried after it [DU2]. */
  #failure: Error | undefined
  #onIdle: (() => void) | undefined
  #powerLoss: TablePowerLoss | undefined
  /** What LMDB is to write when it calls back. */
  #batch: Batch = []
  /**
   * One function for all transactions, so that V8 keeps its compiled code. It returns nothing: if it returned the promise of
   * a put, lmdb-js would go on before the flush.
   */
  readonly #applyBatch = (): void => {
    for (const { changes } of this.#batch) {
      for (const { key, value } of changes) {
        // The batch as a whole tells how each of these went.
        if (value === undefined) void this.#db.remove(key)
        else void this.#db.put(key, value)
      }
    }
    const manifest = this.#flushing.manifestOf(this.#batch)
    if (manifest !== undefined) void this.#db.put(manifestKey, manifest)
  }

  constructor(path: string, bytesMax: number | undefined, now: () => number, opening: Opening) {
    const file = join(path, fileNames.data)
    const { mapBytes } = prepareFiles(path)
    this.#path = path
    this.#now = now
    this.#db = openDatabase(path, {
      mapSize: mapBytes,
      // Or LMDB would call a transaction committed before it is flushed.
      overlappingSync: false,
      ...opening.lmdbOptions,
    })
    const { lastTxnId } = this.#stats()
    this.#room = new Room(file, bytesMax, () => this.#stats().mapSize)
    try {
      this.#flushing = opening.begin(lastTxnId)
    } catch (error) {
      void this.#db.close()
      throw error
    }
    flushLeft(file)
    // A file whose name is lost with the power is lost: LMDB flushes no directory.
    for (const folder of [path, dirname(path)]) flushFolder(folder)
  }

  /** Makes the changes of the last run's newest transaction again, after LMDB went back to the one before it. */
  redo(changes: readonly Change[]): void {
    // Without changes nothing is committed: that LMDB went back was flushed when its file was opened.
    if (changes.length > 0) this.commitNow(changes)
    this.settle()
  }

  /** Says that all is flushed. Only while the store is being opened. */
  settle(): void {
    this.#flushing.settle()
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#db.getBinary(key as Buffer)
  }

  rows(from: Uint8Array, to: Uint8Array): Iterable<Row> {
    return rowsOf(this.#db, from, to)
  }

  keys(from: Uint8Array, to: Uint8Array): Iterable<Uint8Array> {
    return this.#db.getKeys({ start: from, end: to })
  }

  commit(transaction: Transaction): void {
    const failure = this.#failure
    if (failure !== undefined) {
      setImmediate(() => transaction.flushed(failure))
      return
    }
    this.#waiting.push(transaction)
    if (!this.#isWriting) this.#companyTimer ??= setTimeout(() => this.#writeNext(), companyMs)
  }

  commitSoon(transaction: Transaction): void {
    if (this.#isWriting || this.#failure !== undefined) return this.commit(transaction)
    this.#waiting.push(transaction)
    if (this.#quickRun < quickRunMin) return this.#writeNext()
    const batch = this.#takeWaiting()
    // Not all that waits fits into this transaction. What was given first is written first, so all of it goes to the thread.
    if (this.#waiting.length > 0) {
      this.#waiting.unshift(...batch)
      return this.#writeNext()
    }
    const refusal = this.#room.refuse(bytesOf(batch))
    if (refusal !== undefined) return this.#failLater(batch, refusal)
    if (!this.#mayWrite()) return
    const beganMs = this.#now()
    try {
      this.#writeHere(batch)
    } catch (error) {
      if (this.#powerLoss?.isGone === true) return
      return this.#failLater(batch, explainedFailure(error, this.#path))
    }
    this.#took(this.#now() - beganMs)
    // The others were given by `commit`, which promises a later turn.
    if (batch.length > 1) setImmediate(tellFlushed, batch.slice(0, -1))
    transaction.flushed(undefined)
  }

  commitNow(changes: readonly Change[]): void {
    const batch = [{ changes }]
    try {
      const refusal = this.#room.refuse(bytesOf(batch))
      if (refusal !== undefined) throw refusal
      this.#writeHere(batch)
    } catch (error) {
      this.#failure = error as Error
      throw error
    }
  }

  losePower(random: Random): PowerLoss {
    const file = {
      path: join(this.#path, fileNames.data),
      pageBytes: this.#stats().pageSize,
      isMetaLast: this.#flushing.isMetaLast,
    }
    const powerLoss = new TablePowerLoss(file, random, {
      due: () => {
        if (!this.#isWriting) this.#writeNext()
      },
      // A table without power counts as busy: nothing is written, and nobody is told.
      gone: () => {
        this.#isWriting = true
      },
    })
    this.#powerLoss = powerLoss
    return powerLoss
  }

  async close(): Promise<void> {
    if (!this.#isWriting) this.#writeNext()
    if (this.#isWriting) {
      const idle = new Promise<void>((done) => {
        this.#onIdle = done
      })
      await Promise.race([idle, this.#powerLoss?.gone ?? idle])
    }
    await this.#letGo()
    this.#powerLoss?.leave()
  }

  /** Lets go without waiting: nothing is being written. */
  abandon(): void {
    void this.#letGo()
  }

  async #letGo(): Promise<void> {
    const isSettled = this.#failure === undefined && this.#powerLoss === undefined
    this.#failure ??= new Error('the store is closed')
    const closed = this.#db.close()
    await this.#flushing.close(isSettled)
    await closed
  }

  #writeNext(): void {
    const batch = this.#takeWaiting()
    this.#isWriting = batch.length > 0
    if (!this.#isWriting) {
      this.#powerLoss?.goIfDue()
      this.#onIdle?.()
      return
    }
    const refusal = this.#room.refuse(bytesOf(batch))
    if (refusal !== undefined) return this.#failLater(batch, refusal)
    if (!this.#mayWrite()) return
    const beganMs = this.#now()
    this.#batch = batch
    const fail = (error: unknown) => this.#failLater(batch, explainedFailure(error, this.#path))
    const written = this.#db.batch(this.#applyBatch)
    written.then(() => {
      this.#flushing.flush((error) => {
        if (error !== null) return fail(error)
        this.#took(this.#now() - beganMs)
        this.#finish(batch)
      })
    }, fail)
  }

  /** One transaction, flushed on return. */
  #writeHere(batch: Batch): void {
    this.#batch = batch
    this.#db.transactionSync(this.#applyBatch)
    this.#flushing.flushNow()
  }

  /**
   * Whether the write that is about to begin may begin. If a power loss was asked for, the file, all of which is flushed now,
   * is copied, and the flush of this write never ends.
   */
  #mayWrite(): boolean {
    const powerLoss = this.#powerLoss
    if (powerLoss === undefined) return true
    if (!powerLoss.takeCopy()) return false
    this.#flushing.losePower(() => powerLoss.go())
    return true
  }

  #stats(): LmdbStats {
    return this.#db.getStats() as LmdbStats
  }

  #took(ms: number): void {
    this.#quickRun = ms <= quickMs ? this.#quickRun + 1 : 0
  }

  #takeWaiting(): Transaction[] {
    clearTimeout(this.#companyTimer)
    this.#companyTimer = undefined
    let count = 0
    for (let bytes = 0; count < this.#waiting.length; count++) {
      bytes += bytesOf([this.#waiting[count]!])
      if (count > 0 && bytes > transactionBytesMax) break
    }
    return this.#waiting.splice(0, count)
  }

  #finish(batch: readonly Transaction[]): void {
    // The disk goes on while the callbacks run.
    this.#writeNext()
    tellFlushed(batch)
  }

  /** Ends the table once the reason is known. Until then the table counts as busy, so nothing else is tried. */
  #failLater(batch: readonly Transaction[], reason: Error | Promise<Error>): void {
    this.#isWriting = true
    void Promise.resolve(reason).then((failure) => this.#fail(batch, failure))
  }

  #fail(batch: readonly Transaction[], failure: Error): void {
    this.#failure = failure
    const failed = [...batch, ...this.#waiting]
    this.#waiting = []
    this.#isWriting = false
    for (const transaction of failed) transaction.flushed(failure)
    this.#onIdle?.()
  }
}

/** Flushes the file before it is read: if its writer was killed, a part may be in the system's memory only. */
function flushLeft(file: string): void {
  const descriptor = openSync(file, 'r+')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

function tellFlushed(batch: readonly Transaction[]): void {
  for (const transaction of batch) transaction.flushed(undefined)
}

function bytesOf(batch: Batch): number {
  let bytes = 0
  for (const { changes } of batch) for (const { value } of changes) bytes += value?.byteLength ?? 0
  return bytes
}
