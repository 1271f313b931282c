/** LMDB's file: how it is opened, and the room for it on the disk, in the address space and among the descriptors. */
import { closeSync, existsSync, openSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { diskFullError } from './disk-full.js'
import { addressSpaceError, addressSpaceLeft } from './process-limits.js'
import type { Row } from './table.js'

/** Names that LMDB gives its files. */
export const fileNames = { data: 'data.mdb', lock: 'lock.mdb' } as const

export type Database = RootDatabase<Uint8Array, Uint8Array>

/** Fields that LMDB has and the package's types lack. */
export type DatabaseOptions = Partial<
  Record<'overlappingSync' | 'noSync' | 'usePreviousSnapshot' | 'readOnly', boolean>
> & { readonly mapSize?: number }

export function openDatabase(folder: string, options: DatabaseOptions): Database {
  return open<Uint8Array, Uint8Array>({
    path: folder,
    // Or a directory whose name has a dot in it would be taken for a file.
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    // Changes that belong together are put in a batch; with it on, all that a turn writes would wait for its end.
    eventTurnBatching: false,
    ...options,
  } as Parameters<typeof open>[0])
}

/** The rows of a database from `from` up to but without `to`, each in a buffer of its own. */
export function* rowsOf(db: Database, from: Uint8Array, to: Uint8Array): Iterable<Row> {
  for (const { key, value } of db.getRange({ start: from, end: to })) {
    yield { key, value: new Uint8Array(value) }
  }
}

/** Several waiting writes become one transaction up to about this many bytes, so that none is long. */
export const transactionBytesMax = 1024 * 1024

/** Pages that a transaction copies, however little it writes. */
const pagesBytes = 64 * 1024
/** Bytes that may be written between two looks at the disk. */
const unseenBytesMax = 1 << 20
/** Bytes that stay free on the disk, for what other nodes and programs write between two looks. */
const reserveBytes = 4 * unseenBytesMax

/**
 * Bytes that LMDB maps beyond the end of a file. A file that outgrows its map gets one of twice its size, beside the earlier
 * ones. That takes a tenth of a millisecond, so little address space is taken before it is needed.
 */
const spareMapBytes = 64 * 2 ** 20

/** Bytes of address space that stay free for the heaps of this process, which grow as well. */
const reserveAddressBytes = 256 * 2 ** 20

/** Zeros, which LMDB takes for a lock file that nobody uses. It uses 8 KiB, and writes them through a map. */
const lockFileBytes = 16 * 1024

/** Descriptors that LMDB holds once it is open. */
const descriptorsOfLmdb = 3

/**
 * Makes sure that LMDB can open its files in a folder, and tells how much to map. LMDB that cannot open a file, or map
 * it, or write to it through the map, takes the whole process with it.
 */
export function prepareFiles(folder: string): { readonly mapBytes: number } {
  const free = freeBytes(folder)
  if (free < reserveBytes) {
    throw diskFullError(
      `${reserveBytes} bytes are needed, and ${free} are free; make room, or choose another directory`,
    )
  }
  const lockFile = join(folder, fileNames.lock)
  // With room of its own, where LMDB would leave a hole.
  if (!existsSync(lockFile)) writeFileSync(lockFile, Buffer.alloc(lockFileBytes))
  const dataFile = join(folder, fileNames.data)
  const opened: number[] = []
  try {
    opened.push(openSync(lockFile, 'r+'), openSync(dataFile, 'a+'))
    while (opened.length < descriptorsOfLmdb) opened.push(openSync(dataFile, 'r'))
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
  }
  const mapBytes = spareMapBytes + statSync(dataFile).size
  const refusal = refuseMaps(mapBytes)
  if (refusal !== undefined) throw refusal
  return { mapBytes }
}

/**
 * Whether the file may grow. It is looked at before LMDB writes: LMDB that runs out of disk or of address space in the
 * middle of a transaction tells it late, and can take the whole process with it.
 */
export class Room {
  readonly #file: string
  readonly #bytesMax: number
  /** How much LMDB has mapped. */
  readonly #mapBytes: () => number
  /** Bytes that LMDB had mapped when it was asked last. A map only grows, so it is asked again once the file comes near. */
  #mapped = 0
  /** What may be written before the next look. */
  #allowance = 0

  constructor(file: string, bytesMax: number | undefined, mapBytes: () => number) {
    this.#file = file
    this.#bytesMax = bytesMax ?? Number.POSITIVE_INFINITY
    this.#mapBytes = mapBytes
  }

  /** Why a transaction of so many bytes may not be written; `undefined` when it fits, and then it counts as written. */
  refuse(bytes: number): Error | undefined {
    // Values go into pages of their own, and the pages that they replace are free only a transaction later.
    const needed = pagesBytes + 2 * bytes
    const refusal = needed > this.#allowance ? this.#look(needed) : undefined
    if (refusal === undefined) this.#allowance -= needed
    return refusal
  }

  #look(needed: number): Error | undefined {
    if (freeBytes(dirname(this.#file)) < reserveBytes + needed) return diskFullError()
    const { size } = statSync(this.#file)
    const left = this.#bytesMax - size
    if (left < 0) return diskFullError()
    const allowance = Math.max(needed, Math.min(unseenBytesMax, left))
    const end = size + allowance
    if (end >= this.#mapped) this.#mapped = this.#mapBytes()
    const added = addedMaps(this.#mapped, end)
    const refusal = added > 0 ? refuseMaps(added + 2 * allowance) : undefined
    if (refusal === undefined) this.#allowance = allowance
    return refusal
  }
}

/** Bytes in the maps that LMDB adds to one of `mapBytes` until a file of `fileBytes` fits: it keeps the earlier ones. */
function addedMaps(mapBytes: number, fileBytes: number): number {
  let added = 0
  for (let last = mapBytes; last <= fileBytes; added += last) last *= 2
  return added
}

/** Why so many bytes may not be mapped. */
function refuseMaps(bytes: number): Error | undefined {
  const needed = bytes + reserveAddressBytes
  const left = addressSpaceLeft()
  return left < needed ? addressSpaceError(needed, left) : undefined
}

/** Room on the disk that `path` lies on. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

const errorCodes = { inputOutput: 5, noSpace: 28, mapFull: -30792 } as const

/** Why a write of LMDB failed. lmdb-js keeps the reason in a promise of the error, and reports a file that cannot grow as EIO. */
export async function explainedFailure(error: unknown, folder: string): Promise<Error> {
  let cause = error
  try {
    await (error as { commitError?: Promise<never> }).commitError
  } catch (commitError) {
    cause = commitError
  }
  // A number is LMDB's, a name the system's.
  const { code } = cause as { code?: number | string }
  const isFull = code === errorCodes.noSpace || code === errorCodes.mapFull || code === 'ENOSPC'
  if (isFull || (code === errorCodes.inputOutput && freeBytes(folder) < transactionBytesMax)) {
    return diskFullError('', cause)
  }
  return new Error(`the flush failed: ${(cause as Error).message}`, { cause })
}
