/** The disk of a node that does not run, as its next start finds it. */
import { join } from 'node:path'
import type { EntryRun, LogIndex, NodeId } from '../raft/index.js'
import { chunkKey } from './keys.js'
import { fileNames } from './lmdb-file.js'
import { isTornStart } from './one-flush/index.js'
import { emptyDiskError, type Pledge } from './pledge.js'
import { openChunk } from './record.js'
import { isEmpty, readDisk } from './recovery.js'
import type { Pieces } from './shelf.js'
import type { Recovered } from './store.js'
import type { ReadTable } from './table.js'
import { readTableAtRest, runsBetween } from './table-at-rest.js'

/** The content of a disk. The iterables are read before the call that was given the disk returns. */
export interface DiskAtRest extends Recovered {
  /** The bytes of the snapshot, piece by piece; none without a snapshot. */
  readonly pieces: Iterable<Uint8Array>
  /** The entries from one index to another, both included, with their bytes. */
  runs(from: LogIndex, to: LogIndex): Iterable<EntryRun>
}

/**
 * Reads the disk in a folder: all of it once, so that damage is found, and then what `read` asks for. `undefined`: there
 * is none yet. Throws a line that names the damage, or says why the disk is not the one that the pledge speaks of.
 */
export function readDiskAtRest<Found>(
  folder: string,
  nodeId: NodeId,
  pledge: Pledge,
  read: (disk: DiskAtRest) => Found,
): Found | undefined {
  if (!pledge.hasBegun && isTornStart(folder, join(folder, fileNames.data))) return undefined
  return readTableAtRest(folder, (found) => {
    if (found === undefined || isEmpty(found.table)) {
      if (pledge.hasBegun) throw emptyDiskError(pledge)
      return undefined
    }
    const { table, db } = found
    const { recovered, newestPieces } = readDisk(table, nodeId, pledge)
    return read({
      ...recovered,
      pieces: newestPieces === undefined ? [] : piecesOf(table, newestPieces),
      runs: (from, to) => runsBetween(table, db, from, to),
    })
  })
}

function* piecesOf(table: ReadTable, { index, term, generation, offsets }: Pieces): Generator<Uint8Array> {
  for (const offset of offsets)
    yield openChunk(table.get(chunkKey(generation, offset)), { index, term, generation, offset })
}
