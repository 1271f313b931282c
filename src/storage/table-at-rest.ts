/**
 * The table of a log at rest, as the next start finds it. LMDB is opened, read and let go of before a call returns.
 */
import { constants, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EntryRun, type LogIndex, lastIndexOf, sliceRun } from '../raft/index.js'
import { indexOfLogKey, logKey, logKeysFrom, logKeysTo } from './keys.js'
import { type Database, type DatabaseOptions, fileNames, openDatabase, rowsOf } from './lmdb-file.js'
import { fillUp, lastWhole, readSettled } from './one-flush/index.js'
import { checksumOf, openRun } from './record.js'
import type { ReadTable } from './table.js'

/** A table that is only read, of a log that is at rest. */
export interface TableAtRest {
  readonly table: ReadTable
  readonly db: Database
  /** The last run was closed in order. If not, the next start may do its last write again, or leave it out. */
  readonly isSettled: boolean
}

/**
 * The table in a folder as the next start finds it; `undefined`: there is none. A file that was cut short is filled up
 * with zeros, as by a start, and nothing else is changed.
 */
export function readTableAtRest<Found>(
  folder: string,
  read: (found: TableAtRest | undefined) => Found,
): Found {
  const file = join(folder, fileNames.data)
  const whole = lastWhole(folder, file)
  if (whole === 'none') return read(undefined)
  const isSettled = readSettled(folder) === undefined
  const readTable = (table: ReadTable, db: Database): Found => read({ table, db, isSettled })
  if (whole === 'older') return readInCopy(file, readTable)
  fillUp(file)
  return readIn(folder, { readOnly: true }, readTable)
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

export function readIn<Found>(
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

/** The entries from one index to another, both included, record by record. */
export function* runsBetween(
  table: ReadTable,
  db: Database,
  from: LogIndex,
  to: LogIndex,
): Generator<EntryRun> {
  if (from > to) return
  let previous: number | undefined
  for (const { key, value } of table.rows(keyOfRecordWith(db, from), logKeysTo)) {
    const run = openRun(value, indexOfLogKey(key), previous)
    if (run.index > to) return
    previous = checksumOf(value)
    yield sliceRun(run, Math.max(from, run.index), Math.min(to, lastIndexOf(run)))
  }
}

/** The key of the record that holds the entry: the last one that does not begin after it. */
function keyOfRecordWith(db: Database, index: LogIndex): Uint8Array {
  for (const key of db.getKeys({ start: logKey(index), end: logKeysFrom, reverse: true, limit: 1 }))
    return key
  return logKey(index)
}
