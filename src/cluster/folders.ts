/** Folders of a cluster: made, put aside, and refused with the one that is at fault. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { RaftError } from '../errors/index.js'
import { flushFolder, lockFile } from '../storage/index.js'

/** The files of a lost disk stay in the folder of its node, below a name that begins so. */
const lostPrefix = 'lost-'

export function incompatible(dir: string, why: string): RaftError {
  return new RaftError('DIRECTORY_INCOMPATIBLE', { dir, why })
}

const directoryRemedy = '; let this program read and write it, or choose another directory'

/** Errors of the system become the one that says which directory cannot be used, and why. */
export function usable<T>(dir: string, work: () => T, remedy = directoryRemedy): T {
  try {
    return work()
  } catch (error) {
    throw asUnusable(dir, error, remedy)
  }
}

/** An error of the system as the one that says which directory cannot be used, and why; others as they are. */
export function asUnusable(dir: string, error: unknown, remedy = directoryRemedy): unknown {
  const { name, message } = error as Error
  if (error instanceof RaftError || name === 'AbortError') return error
  return new RaftError('DIRECTORY_UNUSABLE', { dir, why: `${message}${remedy}` }, error)
}

/** Makes folders one by one: `mkdirSync` with `recursive` never returns where nothing can be made, as below /proc. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    makeFolder(dirname(path))
    mkdirSync(path)
  }
  // A folder whose name is lost with the power is lost.
  flushFolder(dirname(path))
}

/**
 * Moves what a folder holds into one below it. The folder itself stays where it is, since it may be the place where a disk
 * is mounted, or a link to it.
 */
export function putAside(folder: string, name: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) return
  const left = readdirSync(folder).filter((file) => !file.startsWith(lostPrefix) && file !== lockFile)
  if (left.length === 0) return
  const aside = join(folder, `${lostPrefix}${name}`)
  mkdirSync(aside, { recursive: true })
  for (const file of left) renameSync(join(folder, file), join(aside, file))
}

export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
