/**
 * How a transaction of the table gets to the disk for good: with one flush where the layout of lmdb's pages is one that
 * was tested, and with lmdb's own two flushes everywhere else. This file is the only door to what knows that layout.
 * `ARGUMENT.md` beside it says why one flush is safe, and what it gains.
 */
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { DamageError } from '../record.js'
import type { Change } from '../table.js'
import { installedLmdb, type LmdbVersion, untestedPart } from './lmdb-version.js'
import { type Batch, sealManifest } from './manifest.js'
import { newestTransaction, wholeBytesOf } from './pages.js'
import { findRedo, forgetRedo } from './redo.js'
import { forgetUnsettled, Unsettled } from './unsettled.js'

export type { LmdbVersion } from './lmdb-version.js'
export type { Batch } from './manifest.js'
export { isTornStart, lastWhole } from './redo.js'
export { readSettled } from './unsettled.js'

/** The steps of a start on the log of a folder. */
export interface Opening {
  /** The options with which LMDB is opened. */
  readonly lmdbOptions: { readonly noSync: boolean; readonly usePreviousSnapshot: boolean }
  /** Changes of the newest transaction, behind which LMDB goes back. They are committed before all else, and then settled. */
  readonly redo: readonly Change[] | undefined
  /**
   * LMDB has the file open, and `transaction` is the last one in it. Throws when LMDB did not go back as it was told.
   */
  begin(transaction: number): Flushing
}

/** A way to flush the transactions of an open log, of which there are two. */
export interface Flushing {
  /** A row that a transaction writes beside its changes. Called once for each transaction. */
  manifestOf(batch: Batch): Uint8Array | undefined
  /** After LMDB committed a transaction: it is on the disk when this returns. */
  flushNow(): void
  /** After LMDB committed a transaction: it is on the disk when `done` is called without an error. */
  flush(done: (error: Error | null) => void): void
  /** Says that all of the log is flushed. Only while the store is being opened. */
  settle(): void
  /** The power goes at the next flush: that flush never ends, or throws, and `began` is called in its place. */
  losePower(began: () => void): void
  /** True where LMDB flushes the pages of a transaction before it writes the one that makes them count. */
  readonly isMetaLast: boolean
  /** LMDB lets go of the file. `isSettled` when all of the log is flushed. */
  close(isSettled: boolean): Promise<void>
}

/** Looks at the log of a folder before LMDB does, and chooses how it is flushed by the `version` of lmdb that runs. */
export function openingOf(folder: string, file: string, version: LmdbVersion = installedLmdb()): Opening {
  const untested = untestedPart(version)
  // A run that left something to do again had a tested lmdb, which laid out the file. So its pages are read here
  // whichever lmdb runs.
  const redo = findRedo(folder, file)
  // LMDB cannot go back to before its first transaction.
  if (redo?.base === 0) rmSync(file, { force: true })
  if (untested === undefined) {
    fillUp(file)
  } else {
    warnOnce(untested)
    // LMDB's own transactions have no manifest. A later start must not look for one, unless to do the same again.
    if (redo === undefined) forgetUnsettled(folder)
  }
  return {
    lmdbOptions: {
      noSync: untested === undefined,
      usePreviousSnapshot: redo !== undefined && newestTransaction(file) > redo.base,
    },
    redo: redo?.changes,
    begin(transaction) {
      if (redo !== undefined && transaction !== redo.base) {
        throw new Error(`LMDB went back to transaction ${transaction}, and not to ${redo.base}`)
      }
      if (untested !== undefined) return new TwoFlushes(folder)
      const newest = newestTransaction(file)
      // Before anything is written: a layout that misleads these two is not the tested one.
      if (transaction !== newest) {
        throw new Error(
          `LMDB names transaction ${transaction} as the last one, and its first pages name ${newest}`,
        )
      }
      return new OneFlush(folder, file, transaction)
    },
  }
}

interface FlushCalls {
  fdatasync(descriptor: number, done: (error: Error | null) => void): void
  fdatasyncSync(descriptor: number): void
}

function endIn(began: () => void): never {
  began()
  throw new Error('the power is gone')
}

/** LMDB flushes nothing. Each transaction names its rows in a manifest, and one flush of the file ends it. */
class OneFlush implements Flushing {
  readonly isMetaLast = false
  readonly #folder: string
  readonly #unsettled: Unsettled
  readonly #descriptor: number
  /** Number of the last transaction, which LMDB counts as well. */
  #transaction: number
  /** The system's own calls, until the power is to go. */
  #system: FlushCalls = { fdatasync, fdatasyncSync }

  constructor(folder: string, file: string, transaction: number) {
    this.#folder = folder
    this.#transaction = transaction
    this.#unsettled = new Unsettled(folder, transaction)
    this.#descriptor = openSync(file, 'r+')
  }

  manifestOf(batch: Batch): Uint8Array {
    return sealManifest(++this.#transaction, batch)
  }

  flushNow(): void {
    this.#system.fdatasyncSync(this.#descriptor)
    this.#unsettled.noteSoon(this.#transaction)
  }

  flush(done: (error: Error | null) => void): void {
    this.#system.fdatasync(this.#descriptor, (error) => {
      if (error === null) this.#unsettled.noteSoon(this.#transaction)
      done(error)
    })
  }

  settle(): void {
    this.#unsettled.noteNow(this.#transaction)
    forgetRedo(this.#folder)
  }

  losePower(began: () => void): void {
    this.#system = { fdatasync: began, fdatasyncSync: () => endIn(began) }
  }

  close(isSettled: boolean): Promise<void> {
    closeSync(this.#descriptor)
    return this.#unsettled.close(isSettled)
  }
}

/** LMDB's commit is durable by itself: pages, a flush, then the page that makes them count, flushed as well. */
class TwoFlushes implements Flushing {
  readonly isMetaLast = true
  readonly #folder: string
  #powerGoes: (() => void) | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  manifestOf(): undefined {
    return undefined
  }

  flushNow(): void {
    // LMDB flushed.
    if (this.#powerGoes !== undefined) endIn(this.#powerGoes)
  }

  flush(done: (error: Error | null) => void): void {
    if (this.#powerGoes === undefined) done(null)
    else this.#powerGoes()
  }

  settle(): void {
    // In this order: a start between the two finds what is to be done again, and does it again.
    forgetUnsettled(this.#folder)
    forgetRedo(this.#folder)
  }

  losePower(began: () => void): void {
    this.#powerGoes = began
  }

  async close(): Promise<void> {
    // Nothing is noted beside LMDB's files.
  }
}

/**
 * A page that LMDB reads past the end of its file ends the process. A file that was cut short, as by a copy onto a full
 * disk, gets zeros there: LMDB and the checksums of the records find them to be no pages and no records. Throws when
 * the first pages are damaged, which LMDB believes without a look.
 */
export function fillUp(file: string): void {
  const wholeBytes = wholeBytesOf(file)
  if (wholeBytes > fileBytesMax) throw new DamageError('its first pages are damaged')
  if (existsSync(file) && statSync(file).size < wholeBytes) truncateSync(file, wholeBytes)
}

/** Larger than any log: what is named beyond is no page. */
const fileBytesMax = 2 ** 45

let isWarned = false

/** Warns once in each thread, however many logs the thread opens. */
function warnOnce(untested: string): void {
  if (isWarned) return
  isWarned = true
  const line = `raftbox was not tested with ${untested}: each write waits for two flushes of the disk, where one would do`
  process.emitWarning(line, 'RaftboxWarning')
}
