/** Disks for the tests of stores: on LMDB in a folder that goes away afterwards, and in memory. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterAll } from 'vitest'
import { MemoryDisk, openLmdbStore, openMemoryStore } from '../../src/storage/index.js'
import { manifestKey } from '../../src/storage/keys.js'
import { installedLmdb, type LmdbVersion } from '../../src/storage/one-flush/lmdb-version.js'
import { Unsettled } from '../../src/storage/one-flush/unsettled.js'
import type { TestDisk } from '../../src/testing/store-expectations.js'
import { testMembership } from '../../src/testing/store-model.js'
import { nodeId } from './node-id.js'

const folder = mkdtempSync(join(tmpdir(), 'raftbox-storage-'))
let folderCount = 0

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A new path below a folder that is removed after the tests of this file. */
export function newFolder(): string {
  folderCount++
  return join(folder, `node.${folderCount}`)
}

/** The two ways in which an LMDB store flushes, each by the lmdb that it takes the installed one for. */
export const flushes = {
  'one flush': installedLmdb(),
  'two flushes': { ...installedLmdb(), lmdb: '999.0.0' },
} as const satisfies Record<string, LmdbVersion>

export function lmdbDisk(
  dir = newFolder(),
  lmdb: LmdbVersion = flushes['one flush'],
): TestDisk & { readonly dir: string } {
  return {
    dir,
    open: () => openLmdbStore({ dir, nodeId, membership: testMembership, lmdb }),
    copy() {
      const copyDir = newFolder()
      cpSync(dir, copyDir, { recursive: true })
      // Says which programs have the log open.
      rmSync(join(copyDir, 'lock.mdb'))
      return lmdbDisk(copyDir, lmdb)
    },
  }
}

/** Leaves a folder as a run would that was not closed in order, and had noted that transaction last. */
export function noteSettled(dir: string, transaction: number): void {
  const unsettled = new Unsettled(dir, transaction)
  unsettled.noteNow(transaction)
  void unsettled.close(false)
}

export const nextTurn = (callback: () => void): void => {
  setImmediate(callback)
}

export function memoryDisk(
  disk = new MemoryDisk(testMembership),
  isQuick = false,
): TestDisk & { readonly disk: MemoryDisk } {
  return {
    disk,
    open: () => openMemoryStore(disk, { defer: nextTurn, isQuick }),
    copy: () => memoryDisk(disk.copy(), isQuick),
  }
}

/** The rows of a disk, to be damaged while no store is open on it. Keys are those of `src/storage/keys.ts`. */
export interface Rows {
  get(key: Uint8Array): Uint8Array
  put(key: Uint8Array, value: Uint8Array): void
  remove(key: Uint8Array): void
  /** Every row of the store, as text that can be compared; not the manifest of the last transaction. */
  list(): string[]
}

export interface DamageableDisk extends TestDisk {
  damage<T>(change: (rows: Rows) => T): Promise<T>
}

export function damageableLmdbDisk(): DamageableDisk {
  const disk = lmdbDisk()
  return {
    ...disk,
    async damage(change) {
      const db = open<Uint8Array, Uint8Array>({
        path: disk.dir,
        noSubdir: false,
        encoding: 'binary',
        keyEncoding: 'binary',
        overlappingSync: false,
      })
      const result = change({
        get: (key) => new Uint8Array(db.get(key) ?? []),
        put: (key, value) => db.putSync(key, value),
        remove: (key) => void db.removeSync(key),
        list: () =>
          [...db.getRange({})]
            .filter(({ key }) => !manifestKey.every((byte, at) => byte === key[at]))
            .map(({ key, value }) => textOf(key, value)),
      })
      await db.close()
      return result
    },
  }
}

export function damageableMemoryDisk(): DamageableDisk {
  const disk = memoryDisk()
  const { rows } = disk.disk
  const nameOf = (key: Uint8Array) => String.fromCharCode(...key)
  return {
    ...disk,
    async damage(change) {
      return await Promise.resolve(
        change({
          get: (key) => rows.get(nameOf(key))?.slice() ?? new Uint8Array(0),
          put: (key, value) => void rows.set(nameOf(key), value),
          remove: (key) => void rows.delete(nameOf(key)),
          list: () => [...rows].map(([name, value]) => textOf(Buffer.from(name, 'latin1'), value)).sort(),
        }),
      )
    },
  }
}

function textOf(key: Uint8Array, value: Uint8Array): string {
  return `${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`
}
