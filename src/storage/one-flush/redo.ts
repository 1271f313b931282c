/**
 * The redo of a start behind a run that was not closed in order. The start goes back to the transaction before the
 * newest, and writes the rows that the newest one's manifest names. `ARGUMENT.md` says why. LMDB writes these rows over
 * the pages that they were read from, so until they are flushed they also lie in a file of their own, `redo`, and a
 * start that was interrupted is begun again from there.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeDurably, writeWhole } from '../durable-file.js'
import { manifestKey } from '../keys.js'
import { checksumOf, DamageError, isIntact, openNote, sealNote } from '../record.js'
import type { Change } from '../table.js'
import { type Manifest, openManifest } from './manifest.js'
import { holdsNoTransaction, type LmdbPages, type Meta, withPages } from './pages.js'
import { readSettled } from './unsettled.js'

/** What a start has to do again. */
export interface Redo {
  /** The transaction to go back to. */
  readonly base: number
  /** What the one after it changed; nothing when it was not whole. */
  readonly changes: readonly Change[]
}

const fileName = 'redo'

/** What to do again in a folder. Throws when it is not the newest transaction alone that may be damaged. */
export function findRedo(folder: string, lmdbFile: string): Redo | undefined {
  const interrupted = readRedo(folder)
  if (interrupted !== undefined) return interrupted
  const settled = readSettled(folder)
  if (settled === undefined) return undefined
  const redo = withPages(lmdbFile, (pages) => {
    const newest = pages?.newest.transaction ?? 0
    if (newest < settled)
      throw new DamageError(`transaction ${settled} was flushed, and the last one there is ${newest}`)
    if (pages === undefined || newest === settled) return undefined
    return { base: baseOf(pages, settled), changes: changesOf(pages) ?? [] }
  })
  if (redo !== undefined) writeRedo(folder, redo)
  return redo
}

/**
 * The last whole transaction of a log at rest: the newest, or the one before it. A start goes back to that one, and the
 * log is a new one where there is none.
 */
export function lastWhole(folder: string, lmdbFile: string): 'newest' | 'older' | 'none' {
  const settled = readSettled(folder)
  return withPages(lmdbFile, (pages) => {
    if (pages === undefined) return 'none'
    if (settled === undefined || pages.newest.transaction === settled) return 'newest'
    const base = baseOf(pages, settled)
    if (changesOf(pages) !== undefined) return 'newest'
    return base === 0 ? 'none' : 'older'
  })
}

/**
 * True where the power was lost before LMDB's first write to the file was flushed, and where there is no file. Whether a
 * node that has such a file ever acknowledged anything is for the caller to know.
 */
export function isTornStart(folder: string, lmdbFile: string): boolean {
  const isAnyFlushed = readRedo(folder) !== undefined || (readSettled(folder) ?? 0) > 0
  return !isAnyFlushed && holdsNoTransaction(lmdbFile)
}

/** Flushes the writes that were done again, if there were any. */
export function forgetRedo(folder: string): void {
  removeDurably(folder, fileName)
}

/**
 * A transaction after the settled one was written with a manifest, and flushed before the newest one began. If its
 * manifest is missing, a power loss does not explain it: the file is damaged.
 */
function baseOf(pages: LmdbPages, settled: number): number {
  const { transaction } = pages.older
  if (transaction > settled && manifestOf(pages, pages.older) === undefined) {
    throw new DamageError(`the manifest of transaction ${transaction} is missing or damaged`)
  }
  return transaction
}

/** What the newest transaction changed, if all of it is there. */
function changesOf(pages: LmdbPages): Change[] | undefined {
  const manifest = manifestOf(pages, pages.newest)
  if (manifest === undefined) return undefined
  const changes: Change[] = []
  for (const { key, checksum } of manifest.rows) {
    const value = checksum === undefined ? undefined : pages.get(pages.newest, key)
    if (checksum !== undefined) {
      if (value === undefined || !isIntact(value) || checksumOf(value) !== checksum) return undefined
    }
    changes.push({ key, value })
  }
  return changes
}

/** The manifest of the transaction itself: a page that was not written shows that of an earlier one. */
function manifestOf(pages: LmdbPages, meta: Meta): Manifest | undefined {
  const manifest = openManifest(pages.get(meta, manifestKey))
  return manifest?.transaction === meta.transaction ? manifest : undefined
}

/** As JSON has it. */
interface Stored {
  readonly base: number
  readonly changes: readonly (readonly [key: string, value: string | null])[]
}

function writeRedo(folder: string, { base, changes }: Redo): void {
  const stored: Stored = {
    base,
    changes: changes.map(({ key, value }) => [textOf(key), value === undefined ? null : textOf(value)]),
  }
  writeWhole(folder, fileName, sealNote('redo', stored))
}

function readRedo(folder: string): Redo | undefined {
  const path = join(folder, fileName)
  if (!existsSync(path)) return undefined
  const { base, changes } = openNote('redo', readFileSync(path)) as Stored
  return {
    base,
    changes: changes.map(([key, value]) => ({
      key: bytesOf(key),
      value: value === null ? undefined : bytesOf(value),
    })),
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
