/**
 * A part of a node's log, read by somebody else than the node: of one that runs, in a read transaction beside its
 * writes, and of one that does not run. Each call opens LMDB, reads and lets go before it returns, so that it never keeps
 * pages from being used again.
 */
import { constants, copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type EntryId,
  type EntryRun,
  type HardState,
  type LogIndex,
  lastIndexOf,
  type NodeId,
  type Snapshot,
  sliceRun,
} from '../raft/index.js'
import { indexOfLogKey, logKey, logKeysFrom, logKeysTo } from './keys.js'
import { type Database, type DatabaseOptions, fileNames, openDatabase, rowsOf } from './lmdb-file.js'
import { fillUp, lastWhole, readSettled } from './one-flush/index.js'
import { checksumOf, openRun } from './record.js'
import { checkLog, isEmpty, readHardState, readPointers, withoutGeneration } from './recovery.js'
import type { ReadTable } from './table.js'

/** The entries that are asked for. `from` is left out: the last ones. */
export interface LogRange {
  readonly from?: LogIndex | undefined
  readonly to?: LogIndex | undefined
  /** Entries at most. */
  readonly limit: number
}

export interface LogPage {
  readonly hardState: HardState
  readonly snapshot: Snapshot | undefined
  /** The entry before the first one kept. */
  readonly base: EntryId
  readonly lastIndex: LogIndex
  /** The entries that were asked for, from the first of them on: as many as the limits let in. */
  readonly runs: readonly EntryRun[]
}

/** A page ends behind the record that brings it over this size. */
const pageBytesMax = 4 << 20

/** The log of a node that runs in this process; `undefined` while it has none. */
export function readLogPage(folder: string, range: LogRange): LogPage | undefined {
  if (!existsSync(join(folder, fileNames.data))) return undefined
  return readIn(folder, { readOnly: true }, (table, db) => pageOf(table, db, range))
}

export interface LogAtRest extends LogPage {
  /** Its last run was closed in order. If not, the next start may do its last write again, or leave it out. */
  readonly isSettled: boolean
}

/**
 * The log of a node that does not run, as its next start finds it. All of it is read once. Throws a line that names the
 * damage. A file that was cut short is filled up with zeros, as by a start, and nothing else is changed.
 */
export function readLogAtRest(folder: string, nodeId: NodeId, range: LogRange): LogAtRest | undefined {
  const file = join(folder, fileNames.data)
  const whole = lastWhole(folder, file)
  if (whole === 'none') return undefined
  const isSettled = readSettled(folder) === undefined
  const read = (table: ReadTable, db: Database): LogAtRest | undefined => {
    if (!isEmpty(table)) checkLog(table, nodeId)
    const page = pageOf(table, db, range)
    return page && { ...page, isSettled }
  }
  if (whole === 'older') return readInCopy(file, read)
  fillUp(file)
  return readIn(folder, { readOnly: true }, read)
}

/** LMDB that goes back to an earlier transaction has to write. */
function readInCopy<Found>(file: string, read: (table: ReadTable, db: Database) => Found): Found {
  const folder = mkdtempSync(join(tmpdir(), 'raftbox-log-'))
  try {
    const copy = join(folder, fileNames.data)
    copyFileSync(file, copy, constants.COPYFILE_FICLONE)
    fillUp(copy)
    return readIn(folder, { usePreviousSnapshot: true, noSync: true, overlappingSync: false }, read)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readIn<Found>(
  folder: string,
  options: DatabaseOptions,
  read: (table: ReadTable, db: Database) => Found,
): Found {
  const db = openDatabase(folder, options)
  try {
    const table: ReadTable = {
      get: (key) => db.getBinary(key as Buffer),
      rows: (from, to) => rowsOf(db, from, to),
      keys: (from, to) => db.getKeys({ start: from, end: to }),
    }
    return read(table, db)
  } finally {
    // A database that is only read is closed when this returns.
    void db.close()
  }
}

/** All reads of one turn see the same transaction. */
function pageOf(table: ReadTable, db: Database, { from, to, limit }: LogRange): LogPage | undefined {
  if (isEmpty(table)) return undefined
  const { base, last, snapshot } = readPointers(table)
  const page = {
    hardState: readHardState(table),
    snapshot: snapshot && withoutGeneration(snapshot),
    base,
    lastIndex: last.index,
  }
  const first = Math.max(from ?? last.index - limit + 1, base.index + 1)
  const end = Math.min(to ?? last.index, last.index, first + limit - 1)
  return { ...page, runs: first > end ? [] : runsBetween(table, db, first, end) }
}

function runsBetween(table: ReadTable, db: Database, first: LogIndex, end: LogIndex): EntryRun[] {
  const runs: EntryRun[] = []
  let previous: number | undefined
  let bytes = 0
  for (const { key, value } of table.rows(keyOfRecordWith(db, first), logKeysTo)) {
    const run = openRun(value, indexOfLogKey(key), previous)
    if (run.index > end || bytes > pageBytesMax) break
    previous = checksumOf(value)
    bytes += value.byteLength
    runs.push(sliceRun(run, Math.max(first, run.index), Math.min(end, lastIndexOf(run))))
  }
  return runs
}

/** The key of the record that holds the entry: the last one that does not begin after it. */
function keyOfRecordWith(db: Database, index: LogIndex): Uint8Array {
  for (const key of db.getKeys({ start: logKey(index), end: logKeysFrom, reverse: true, limit: 1 }))
    return key
  return logKey(index)
}
