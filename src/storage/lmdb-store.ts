/**
 * The store of the threads and inline hosts: one LMDB environment a node. This is the only file that knows
 * LMDB. Writes go through a thread of libuv's pool, so that the node's own loop stays free during a flush,
 * and one transaction is in flight at a time: what was given meanwhile is the next one.
 *
 * With `overlappingSync` off a commit is LMDB's own: pages, `fdatasync`, then the meta page through a
 * descriptor opened with O_DSYNC; only after that does the promise resolve. With it on, the promise resolves
 * when the data is visible and not yet on disk.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import type { Membership, NodeId } from '../raft/index.js'
import { diskFullError } from './disk-full.js'
import { type OpenStore, openRecordStore } from './record-store.js'
import type { Flushed } from './store.js'
import type { Change, Row, Table } from './table.js'

export interface LmdbStoreOptions {
  /** Directory of this node alone; made when it is not there. */
  readonly dir: string
  /** Whose log it is. A directory of another node is refused. */
  readonly nodeId: NodeId
  /** Who takes part when the directory is new. Afterwards the directory knows better. */
  readonly membership: Membership
  /**
   * Room for the log, in bytes; default: all that the disk has. No write begins once the file is larger, which
   * ends the store as a full disk does; the file may pass the mark by one transaction. At the least what a
   * snapshot and a log up to the next one need, twice over.
   */
  readonly bytesMax?: number
}

/**
 * Address space, of which a file uses what it needs. lmdb-js maps more by itself when a file outgrows it, so
 * this is no limit; it is large because each new mapping costs a pause.
 */
const mapBytes = 64 * 2 ** 30

/**
 * Opens the log of one node. Throws an error that says what is wrong when the log is damaged, of another node
 * or of another format, and then leaves it as it is.
 */
export function openLmdbStore({ dir, nodeId, membership, bytesMax }: LmdbStoreOptions): OpenStore {
  const path = resolve(dir)
  mkdirSync(path, { recursive: true })
  const isNew = !existsSync(join(path, fileName))
  if (!isNew) checkHead(join(path, fileName))
  const table = new LmdbTable(path, bytesMax)
  try {
    const opened = openRecordStore(table, { nodeId, membership })
    // A file whose name is lost with the power is lost: LMDB flushes the file, not the directory.
    if (isNew) for (const folder of [path, dirname(path)]) flushFolder(folder)
    return opened
  } catch (cause) {
    table.abandon()
    throw new Error(`the log in ${path} cannot be opened: ${(cause as Error).message}`, { cause })
  }
}

/**
 * LMDB believes its two meta pages without a look, and a damaged one takes the whole process with it. Each
 * holds a magic number behind its page header, and the first one the size of a page.
 */
function checkHead(file: string): void {
  const meta = readAt(file, 0)
  // Created, and the power went before anything was written: as good as new.
  if (meta.length === 0) return
  const pageBytes = meta.length === metaBytes ? meta.readUInt32LE(pageSizeOffset) : 0
  const second = readAt(file, pageBytes)
  const isWhole = [meta, second].every(
    (page) => page.length === metaBytes && page.readUInt32LE(magicOffset) === magic,
  )
  if (!isWhole || pageBytes === 0)
    throw new Error(`the log in ${file} cannot be opened: its first pages are damaged`)
}

/** The beginning of a page, or what the file has of it. */
function readAt(file: string, position: number): Buffer {
  const page = Buffer.alloc(metaBytes)
  const descriptor = openSync(file, 'r')
  try {
    return page.subarray(0, readSync(descriptor, page, 0, metaBytes, position))
  } finally {
    closeSync(descriptor)
  }
}

const metaBytes = 64
const magicOffset = 24
const magic = 0xbeefc0de
const pageSizeOffset = 48

/** As LMDB names it. */
const fileName = 'data.mdb'

/** A transaction that waits for its turn. */
interface Pending {
  readonly changes: readonly Change[]
  readonly flushed: Flushed
}

/** Several waiting writes become one transaction up to about this many bytes, so that none is long. */
const transactionBytesMax = 1024 * 1024

/**
 * Left free on the disk: the pages that a transaction copies, its nodes' on the same disk, and whoever else
 * writes there between the look and the write.
 */
const reserveBytes = 4 * transactionBytesMax

class LmdbTable implements Table {
  /** LMDB copies values into pages of its own, on its own thread. */
  readonly sharesMemory = false
  readonly #path: string
  readonly #bytesMax: number | undefined
  readonly #db: RootDatabase<Uint8Array, Uint8Array>
  #waiting: Pending[] = []
  #isWriting = false
  /** The error of the failed transaction. No other is tried after it: what it lost would not be noticed. */
  #failure: Error | undefined
  #onIdle: (() => void) | undefined

  constructor(path: string, bytesMax: number | undefined) {
    this.#path = path
    this.#bytesMax = bytesMax
    this.#db = open<Uint8Array, Uint8Array>({
      path,
      // Or a directory whose name has a dot in it would be taken for a file.
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      mapSize: mapBytes,
      overlappingSync: false,
      // What belongs together is put in a batch; with it on, all that one turn writes would wait for its end.
      eventTurnBatching: false,
    } as Parameters<typeof open>[0])
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#db.getBinary(key as Buffer)
  }

  *rows(from: Uint8Array, to: Uint8Array): Iterable<Row> {
    for (const { key, value } of this.#db.getRange({ start: from, end: to })) {
      yield { key, value: new Uint8Array(value) }
    }
  }

  keys(from: Uint8Array, to: Uint8Array): Iterable<Uint8Array> {
    return this.#db.getKeys({ start: from, end: to })
  }

  commit(changes: readonly Change[], flushed: Flushed): void {
    if (this.#failure !== undefined) {
      setImmediate(flushed, this.#failure)
      return
    }
    this.#waiting.push({ changes, flushed })
    if (!this.#isWriting) this.#writeNext()
  }

  commitNow(changes: readonly Change[]): void {
    if (freeBytes(this.#path) < reserveBytes) throw diskFullError()
    // The braces matter: a callback that returns a put's promise is not flushed on return.
    this.#db.transactionSync(() => {
      this.#apply(changes)
    })
  }

  async close(): Promise<void> {
    if (this.#isWriting) {
      await new Promise<void>((done) => {
        this.#onIdle = done
      })
    }
    this.#failure ??= new Error('the store is closed')
    await this.#db.close()
  }

  /** Lets go without waiting: nothing was written. */
  abandon(): void {
    void this.#db.close()
  }

  #writeNext(): void {
    const batch = this.#takeWaiting()
    this.#isWriting = batch.length > 0
    if (!this.#isWriting) {
      this.#onIdle?.()
      return
    }
    if (!this.#hasRoom(batch)) {
      setImmediate(() => this.#fail(batch, diskFullError()))
      return
    }
    const written = this.#db.batch(() => {
      for (const { changes } of batch) this.#apply(changes)
    })
    written.then(
      () => this.#finish(batch),
      async (error: unknown) => this.#fail(batch, await this.#explain(error)),
    )
  }

  /**
   * Looked at before every transaction: LMDB that runs out of disk in the middle of one tells it late, and can
   * take the whole process with it.
   */
  #hasRoom(batch: readonly Pending[]): boolean {
    const bytes = batch.reduce((sum, { changes }) => sum + bytesOf(changes), 0)
    if (freeBytes(this.#path) < reserveBytes + 2 * bytes) return false
    return this.#bytesMax === undefined || statSync(join(this.#path, fileName)).size <= this.#bytesMax
  }

  #takeWaiting(): Pending[] {
    let bytes = 0
    let count = 0
    for (const { changes } of this.#waiting) {
      bytes += bytesOf(changes)
      if (count > 0 && bytes > transactionBytesMax) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  #apply(changes: readonly Change[]): void {
    for (const { key, value } of changes) {
      // The batch as a whole tells how each of these went.
      if (value === undefined) void this.#db.remove(key)
      else void this.#db.put(key, value)
    }
  }

  #finish(batch: readonly Pending[]): void {
    // The disk goes on while the callbacks run.
    this.#writeNext()
    for (const { flushed } of batch) flushed(undefined)
  }

  #fail(batch: readonly Pending[], failure: Error): void {
    this.#failure = failure
    const failed = [...batch, ...this.#waiting]
    this.#waiting = []
    this.#isWriting = false
    for (const { flushed } of failed) flushed(failure)
    this.#onIdle?.()
  }

  /** lmdb-js keeps the reason in a promise beside the error, and reports a file that cannot grow as EIO. */
  async #explain(error: unknown): Promise<Error> {
    let cause = error
    try {
      await (error as { commitError?: Promise<never> }).commitError
    } catch (commitError) {
      cause = commitError
    }
    const { code } = cause as { code?: number }
    const isFull = code === errorCodes.noSpace || code === errorCodes.mapFull
    if (isFull || (code === errorCodes.inputOutput && freeBytes(this.#path) < transactionBytesMax)) {
      return diskFullError(cause)
    }
    return new Error(`the flush failed: ${(cause as Error).message}`, { cause })
  }
}

const errorCodes = { inputOutput: 5, noSpace: 28, mapFull: -30792 } as const

function bytesOf(changes: readonly Change[]): number {
  return changes.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0)
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

function flushFolder(path: string): void {
  // Windows has no such call; there the name is flushed with the file.
  if (process.platform === 'win32') return
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
