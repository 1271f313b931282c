/**
 * What the store relies on beyond LMDB's documentation: where its pages hold what, and that it leaves the pages alone
 * that the last two transactions lead to. A release of lmdb that changes either is found out here.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { expect, test } from 'vitest'
import { Random } from '../../src/raft/index.js'
import { type LmdbPages, type Meta, withPages } from '../../src/storage/one-flush/pages.js'
import { newFolder } from './disks.js'

type Rows = ReadonlyMap<string, Uint8Array | undefined>

/** What the pages have under each key. */
function rowsIn(pages: LmdbPages, meta: Meta, keys: Iterable<string>): Rows {
  return new Map([...keys].map((key) => [key, pages.get(meta, Buffer.from(key, 'latin1'))]))
}

function textOf(rows: Rows): string[] {
  return [...rows].map(([key, value]) => `${key} ${value && Buffer.from(value).toString('base64')}`)
}

test.each([1, 2, 3])(
  'the pages hold what LMDB says, and those of the transaction before stay, seed %i',
  async (seed) => {
    const random = new Random(seed)
    const dir = newFolder()
    mkdirSync(dir)
    const db = open<Uint8Array, Uint8Array>({
      path: dir,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      overlappingSync: false,
      noSync: true,
    } as Parameters<typeof open>[0])
    const file = join(dir, 'data.mdb')
    // Of one page, of several branches, and of values with pages of their own.
    const sizes = [0, 12, 1500, 3000, 70_000]
    const current = new Map<string, Uint8Array>()
    let before = new Map<string, Uint8Array>()
    let depthSeen = 0
    for (let transaction = 1; transaction <= 30; transaction++) {
      before = new Map(current)
      db.transactionSync(() => {
        for (let change = 0; change < 20; change++) {
          // Long enough that few fit into a branch.
          const key = String(random.below(150)).padStart(random.chance(0.5) ? 200 : 230, '-')
          if (random.chance(0.2)) {
            current.delete(key)
            void db.remove(Buffer.from(key))
          } else {
            const value = Buffer.alloc(sizes[random.below(sizes.length)]!, random.below(256))
            current.set(key, value)
            void db.put(Buffer.from(key), value)
          }
        }
      })
      const keys = new Set([...before.keys(), ...current.keys(), 'absent'])
      const { newest, older, numbers } = withPages(file, (pages) => ({
        newest: rowsIn(pages!, pages!.newest, keys),
        older: rowsIn(pages!, pages!.older, keys),
        numbers: [pages!.newest.transaction, pages!.older.transaction],
      }))
      const expected = (rows: ReadonlyMap<string, Uint8Array>) =>
        textOf(new Map([...keys].map((key) => [key, rows.get(key)])))
      expect(numbers).toEqual([transaction, transaction - 1])
      expect(textOf(newest)).toEqual(expected(current))
      expect(textOf(older)).toEqual(expected(before))
      const { treeDepth } = db.getStats() as { treeDepth: number }
      depthSeen = Math.max(depthSeen, treeDepth)
    }
    expect(depthSeen, 'branches of branches').toBeGreaterThanOrEqual(3)
    await db.close()
  },
)
