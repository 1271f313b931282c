/**
 * A power loss while LMDB writes a transaction: of the pages that it was about to flush the disk has any, in any
 * order. Only then comes the page that makes them count.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Random } from '../../src/raft/index.js'
import { type StoreState, stateOf, stepStore } from '../../src/testing/store-model.js'
import { drawLife } from '../../src/testing/store-script.js'
import { lmdbDisk, newFolder } from './disks.js'

/** LMDB's are as large as the system's, and the first one says how large. */
const pageBytesOf = (file: Buffer) => file.readUInt32LE(48)
/** The first two pages; each says which transaction is the last one, and the later of them counts. */
const metaPages = 2

/** The numbers of the pages that differ. */
function changedPages(before: Buffer, after: Buffer): number[] {
  const pages = Array.from({ length: after.length / pageBytesOf(after) }, (_, page) => page)
  return pages.filter((page) => !pageOf(before, page).equals(pageOf(after, page)))
}

function pageOf(file: Buffer, page: number): Buffer {
  const pageBytes = pageBytesOf(file)
  return file.subarray(page * pageBytes, (page + 1) * pageBytes)
}

/** A file that has some pages of a later one; what it never wrote is zero. */
function withPages(before: Buffer, after: Buffer, pages: readonly number[]): Buffer {
  const file = Buffer.alloc(Math.max(before.length, after.length))
  before.copy(file)
  for (const page of pages) pageOf(after, page).copy(pageOf(file, page))
  return file
}

/** What a start finds on a disk that holds this file. */
async function stateIn(file: Buffer): Promise<StoreState> {
  const dir = newFolder()
  mkdirSync(dir)
  writeFileSync(join(dir, 'data.mdb'), file)
  const { recovered, store } = lmdbDisk(dir).open()
  await store.close()
  return stateOf(recovered)
}

test.each([1, 2, 3])(
  '[DU1][DU17] any pages of an unfinished write, in life %i, change nothing',
  async (seed) => {
    const { steps, states } = drawLife(seed, 60)
    const random = new Random(seed)
    const disk = lmdbDisk()
    const { store } = disk.open()
    const read = () => readFileSync(join(disk.dir, 'data.mdb'))
    let before = read()
    let reused = 0
    for (const [done, step] of steps.entries()) {
      await stepStore(store, step)
      const after = read()
      const changed = changedPages(before, after)
      const written = changed.filter((page) => page >= metaPages)
      reused += written.filter((page) => pageOf(before, page).length > 0).length
      expect(changed.length - written.length, 'a write counts by one page').toBe(changed.length > 0 ? 1 : 0)
      const some = written.filter(() => random.below(2) === 0)
      for (const pages of [written, some]) {
        expect(await stateIn(withPages(before, after, pages))).toEqual(states[done])
      }
      expect(await stateIn(after)).toEqual(states[done + 1])
      before = after
    }
    expect(reused, 'pages that were freed are written again').toBeGreaterThan(100)
    await store.close()
  },
)
