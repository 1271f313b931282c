/** Debian's etcd, where it is installed: the server whose answers are right. */
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type EtcdServers, startEtcdServers } from '../../bench/suite/index.js'

export type RealEtcd = EtcdServers

interface RealEtcdOptions {
  /** Default 1. */
  readonly members?: number
  /** Further flags for each server, such as `--max-txn-ops=256`. */
  readonly flags?: readonly string[]
}

const folders = new Set<string>()
// The servers end with this process too, as every child of `startChild` does.
process.on('exit', () => {
  for (const folder of folders) removeFolder(folder)
})

/** Whether the program is in `PATH`. */
export function has(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export const hasEtcd = has('etcd')

/** Resolves once every member serves. The servers and their folder also end with this process. */
export async function startRealEtcd({ members = 1, flags = [] }: RealEtcdOptions = {}): Promise<RealEtcd> {
  const folder = mkdtempSync(join(tmpdir(), 'raftbox-real-etcd-'))
  folders.add(folder)
  const remove = (): void => {
    removeFolder(folder)
    folders.delete(folder)
  }
  const servers = await startEtcdServers({
    ...{ members, folder },
    // A test compares answers, and no promise of its oracle depends on a disk.
    flags: ['--unsafe-no-fsync', ...flags],
  }).catch((error: unknown) => {
    remove()
    throw error
  })
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= servers.close().then(remove)
    return closed
  }
  return { ...servers, close, [Symbol.asyncDispose]: close }
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}
