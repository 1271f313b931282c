/**
 * A part of a node's log, for a reader outside of the node. The log of a node that runs is read in a transaction beside its
 * writes. Each call opens LMDB, reads and lets go before it returns: an older read transaction would keep LMDB from using
 * pages again.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { EntryId, EntryRun, HardState, LogIndex, NodeId, Snapshot } from '../raft/index.js'
import { type Database, fileNames } from './lmdb-file.js'
import { isTornStart } from './one-flush/index.js'
import { emptyDiskError, type Pledge } from './pledge.js'
import { isEmpty, readDisk, readHardState, readPointers, withoutGeneration } from './recovery.js'
import type { ReadTable } from './table.js'
import { readIn, readTableAtRest, runsBetween } from './table-at-rest.js'

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
 * The log of a node that does not run, as its next start finds it. All of it is read once. `undefined`: the node has not
 * begun, and a start makes a log. Throws a line that names the damage. Without a pledge, torn first pages count as damage
 * and no log as none yet.
 */
export function readLogAtRest(
  folder: string,
  nodeId: NodeId,
  pledge: Pledge | undefined,
  range: LogRange,
): LogAtRest | undefined {
  if (pledge?.hasBegun === false && isTornStart(folder, join(folder, fileNames.data))) return undefined
  return readTableAtRest(folder, (found) => {
    if (found === undefined || isEmpty(found.table)) {
      if (pledge?.hasBegun === true) throw emptyDiskError(pledge)
      return undefined
    }
    const { table, db, isSettled } = found
    readDisk(table, nodeId, undefined)
    const page = pageOf(table, db, range)
    return page && { ...page, isSettled }
  })
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
  const most = Math.min(to ?? last.index, last.index)
  const first = Math.max(from ?? most - limit + 1, base.index + 1)
  const end = Math.min(most, first + limit - 1)
  return { ...page, runs: pageBetween(table, db, first, end) }
}

/** The entries from `first` to `end`, or fewer: a page ends behind the record that brings it over its size. */
function pageBetween(table: ReadTable, db: Database, first: LogIndex, end: LogIndex): EntryRun[] {
  const runs: EntryRun[] = []
  let bytes = 0
  for (const run of runsBetween(table, db, first, end)) {
    runs.push(run)
    bytes += run.bytes.byteLength
    if (bytes > pageBytesMax) break
  }
  return runs
}
