/**
 * One holder at a time: an exclusive lock of the operating system on a file. The lock belongs to the open file. It ends
 * when the file is closed, and the system closes the file with the process or the thread that opened it, however that one
 * ends. The kernel keeps the lock with the file itself, so threads, processes and containers that share a directory see one
 * and the same lock, and two that start at once cannot both have it.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type * as nativeExtensions from 'fs-native-extensions'
import { RaftError } from '../errors/index.js'

/** The file in a directory whose lock is that of the directory. */
export const lockFile = 'lock'

export class FileLock {
  readonly #descriptor: number

  private constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /**
   * The lock on the file, which is made when it is not there; or the name of its holder. The file stays when its lock ends:
   * a lock on a file that was removed would keep nobody out. Throws the system's own error when there can be no lock.
   */
  static take(path: string): FileLock | string {
    for (;;) {
      const descriptor = openSync(path, 'a+')
      try {
        if (!tryLock(descriptor)) {
          closeSync(descriptor)
          return holderIn(path)
        }
        if (isAt(path, descriptor)) {
          // Only for the message that others get: the lock itself says nothing of its holder.
          ftruncateSync(descriptor)
          writeSync(descriptor, `process ${process.pid} on ${hostname()}\n`)
          return new FileLock(descriptor)
        }
      } catch (error) {
        closeSync(descriptor)
        throw error
      }
      // The file was removed after it was opened. The next one is another file.
      closeSync(descriptor)
    }
  }

  release(): void {
    closeSync(this.#descriptor)
  }
}

/** The lock of a directory. Throws `DIRECTORY_IN_USE` with the name of its holder. */
export function lockOf(dir: string): FileLock {
  const lock = FileLock.take(join(dir, lockFile))
  if (lock instanceof FileLock) return lock
  throw new RaftError('DIRECTORY_IN_USE', { dir, holder: lock })
}

function isAt(path: string, descriptor: number): boolean {
  const [here, opened] = [statSync(path, { throwIfNoEntry: false }), fstatSync(descriptor)]
  return here?.ino === opened.ino && here.dev === opened.dev
}

/** Loaded with the first lock: without a directory there is nothing to lock, and no need of native code. */
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
