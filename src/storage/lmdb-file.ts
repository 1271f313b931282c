/** The disk below LMDB: whether a file may grow, and what makes one survive a power loss. */
import { closeSync, fsyncSync, openSync, renameSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Pages that a transaction copies, however little it writes. */
const pagesBytes = 64 * 1024
/** As much is written without another look. */
const unseenBytesMax = 1 << 20
/** Left free on the disk: for what its other nodes, and whoever else writes there, write between two looks. */
const reserveBytes = 4 * unseenBytesMax

/**
 * Whether the file may grow. It is looked at before LMDB writes: LMDB that runs out of disk in the middle of a
 * transaction tells it late, and can take the whole process with it.
 */
export class Room {
  readonly #file: string
  readonly #bytesMax: number
  /** What may be written before the next look. */
  #allowance = 0

  constructor(file: string, bytesMax = Number.POSITIVE_INFINITY) {
    this.#file = file
    this.#bytesMax = bytesMax
  }

  /** True when a transaction of so many bytes fits; it counts as written then. */
  takes(bytes: number): boolean {
    // Values go into pages of their own, and the pages that they replace are free only a transaction later.
    const needed = pagesBytes + 2 * bytes
    if (needed > this.#allowance && !this.#look(needed)) return false
    this.#allowance -= needed
    return true
  }

  #look(needed: number): boolean {
    if (freeBytes(dirname(this.#file)) < reserveBytes + needed) return false
    const left = this.#bytesMax - statSync(this.#file).size
    if (left < 0) return false
    this.#allowance = Math.max(needed, Math.min(unseenBytesMax, left))
    return true
  }
}

/** Room on the disk that `path` lies on. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

/** Makes the names in a folder survive a power loss. */
export function flushFolder(path: string): void {
  // Windows has no such call; there the name is flushed with the file.
  if (process.platform === 'win32') return
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Puts a file into a folder; a power loss leaves all of it or nothing. */
export function writeWhole(folder: string, name: string, bytes: Uint8Array): void {
  const path = join(folder, name)
  const unfinished = `${path}.new`
  const descriptor = openSync(unfinished, 'w')
  try {
    // All of it, where `writeSync` may end early on a disk that is nearly full.
    writeFileSync(descriptor, bytes)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(unfinished, path)
  flushFolder(folder)
}
