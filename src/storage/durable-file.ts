/** Files and names that survive a power loss. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

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

/** Takes a file out of a folder, if it is there; a power loss does not bring it back. */
export function removeDurably(folder: string, name: string): void {
  const path = join(folder, name)
  if (!existsSync(path)) return
  rmSync(path)
  flushFolder(folder)
}
