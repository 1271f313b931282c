/** The file that LMDB keeps its pages in, looked at without LMDB: whether it is whole, and whether it may grow. */
import { closeSync, fsyncSync, openSync, readSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * LMDB believes its two meta pages without a look, and a damaged one takes the whole process with it. Each
 * holds a magic number behind its page header, and the first one the size of a page.
 */
export function checkHead(file: string): void {
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

/** Makes what was written to a file, also by a program that was killed since, survive a power loss. */
export function flushFile(path: string): void {
  // Windows flushes only what may be written.
  flush(path, 'r+')
}

/** Makes the names in a folder survive a power loss. */
export function flushFolder(path: string): void {
  // Windows has no such call; there the name is flushed with the file.
  if (process.platform !== 'win32') flush(path, 'r')
}

function flush(path: string, access: 'r' | 'r+'): void {
  const descriptor = openSync(path, access)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
