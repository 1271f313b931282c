/**
 * One holder a directory: an exclusive lock of the operating system on a file in it. The lock belongs to the open file.
 * It ends when the file is closed, and the system closes the file with the process or the thread that opened it,
 * however that one ends. The kernel keeps the lock with the file itself, so threads, processes and containers that
 * share the directory see one and the same lock, and two that start at once cannot both have it.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type * as nativeExtensions from 'fs-native-extensions'
import { RaftError } from '../errors/index.js'

/** The file stays when its lock ends: a lock on a file that was removed would keep nobody out. */
const lockFile = 'lock'

export class DirectoryLock {
  readonly #descriptor: number

  private constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /** Throws `DIRECTORY_IN_USE` when somebody holds it, and the system's own error when there can be no lock. */
  static take(dir: string): DirectoryLock {
    const path = join(dir, lockFile)
    const descriptor = openSync(path, 'a+')
    try {
      if (!tryLock(descriptor)) throw new RaftError('DIRECTORY_IN_USE', { dir, holder: holderIn(path) })
      // Only for the message that others get: the lock itself says nothing of its holder.
      ftruncateSync(descriptor)
      writeSync(descriptor, `process ${process.pid} on ${hostname()}\n`)
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
    return new DirectoryLock(descriptor)
  }

  release(): void {
    closeSync(this.#descriptor)
  }
}

/** Loaded with the first directory: without one there is nothing to lock, and no need of native code. */
function tryLock(descriptor: number): boolean {
  const native = createRequire(import.meta.url)('fs-native-extensions') as typeof nativeExtensions
  return native.tryLock(descriptor)
}

/** As the holder wrote it; some systems let nobody read a file that is locked. */
function holderIn(path: string): string {
  try {
    const [line = ''] = readFileSync(path, 'utf8').split('\n')
    const [, process, host] = /^(process \d+) on ([\w.-]+)$/.exec(line) ?? []
    if (process !== undefined) return host === hostname() ? process : line
  } catch {}
  return 'another process'
}
