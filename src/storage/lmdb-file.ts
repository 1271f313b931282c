/** The file that LMDB keeps its pages in, looked at without LMDB: whether it is whole, and whether it may grow. */
import { closeSync, fsyncSync, openSync, readSync, statfsSync } from 'node:fs'

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
