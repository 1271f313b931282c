/** The port of the page, kept beside the logs of a directory: a sandbox that comes back has the same address. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RaftError } from '../errors/index.js'
import { FileLock, writeWhole } from '../storage/index.js'

const fileName = 'page.json'
/** The lock of the cluster. */
const lockFile = 'lock'
export const portMax = 65_535

/** `undefined` where no port is remembered. */
export function rememberedPort(dir: string): number | undefined {
  try {
    const { port } = JSON.parse(readFileSync(join(dir, fileName), 'utf8')) as { readonly port?: unknown }
    return Number.isInteger(port) && Number(port) > 0 && Number(port) <= portMax ? Number(port) : undefined
  } catch {
    return undefined
  }
}

/** A port that cannot be remembered is no reason to end with an error. */
export function rememberPort(dir: string, port: number): void {
  if (rememberedPort(dir) === port) return
  try {
    writeWhole(dir, fileName, Buffer.from(`${JSON.stringify({ port })}\n`))
  } catch {
    // As on a full disk, of which the nodes themselves tell.
  }
}

/** Throws where another program holds the directory, as a start of its cluster would. */
export function checkNotInUse(dir: string): void {
  const lock = FileLock.take(join(dir, lockFile))
  if (!(lock instanceof FileLock)) throw new RaftError('DIRECTORY_IN_USE', { dir, holder: lock })
  lock.release()
}
