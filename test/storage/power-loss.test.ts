/**
 * A power loss while a transaction is written: of all that was written since the last flush the disk has any part,
 * in any order, the page that makes LMDB count it included. A disk writes sectors, and a page has eight of them.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { open } from 'lmdb'
import { describe, expect, test } from 'vitest'
import { Random } from '../../src/raft/index.js'
import type { LmdbVersion } from '../../src/storage/one-flush/index.js'
import { newestTransaction } from '../../src/storage/one-flush/pages.js'
import { findRedo } from '../../src/storage/one-flush/redo.js'
import { type StoreState, stateOf, stepStore } from '../../src/testing/store-model.js'
import { drawLife } from '../../src/testing/store-script.js'
import { flushes, lmdbDisk, newFolder, noteSettled } from './disks.js'

const sectorBytes = 512

function sectorOf(file: Buffer, sector: number): Buffer {
  return file.subarray(sector * sectorBytes, (sector + 1) * sectorBytes)
}

/** The numbers of the sectors that differ. */
function changedSectors(before: Buffer, after: Buffer): number[] {
  const sectors = Array.from({ length: after.length / sectorBytes }, (_, sector) => sector)
  return sectors.filter((sector) => !sectorOf(before, sector).equals(sectorOf(after, sector)))
}

/** A file that has some sectors of a later one; what it never wrote is zero. */
function withSectors(before: Buffer, after: Buffer, sectors: readonly number[]): Buffer {
  const file = Buffer.alloc(Math.max(before.length, after.length))
  before.copy(file)
  for (const sector of sectors) sectorOf(after, sector).copy(sectorOf(file, sector))
  return file
}

/** The sectors that say which transaction is the newest: LMDB writes one of them for each. */
const metaSectors = [0, 4096 / sectorBytes]

/** Which sectors of a write the disk has: from all but one, over every other one, to one alone. */
function drawSectors(random: Random, changed: readonly number[]): number[] {
  const share = [0.05, 0.5, 0.95][random.below(3)]!
  return changed.filter((sector) => random.chance(metaSectors.includes(sector) ? 0.9 : share))
}

/** `settled` is left out where both flushes are LMDB's own, and nothing is noted. */
function newDisk(file: Buffer, settled?: number): string {
  const dir = newFolder()
  mkdirSync(dir)
  writeFileSync(join(dir, 'data.mdb'), file)
  if (settled !== undefined) noteSettled(dir, settled)
  return dir
}

const fileIn = (dir: string): Buffer => readFileSync(join(dir, 'data.mdb'))

async function stateIn(dir: string, lmdb?: LmdbVersion): Promise<StoreState> {
  const opened = lmdbDisk(dir, lmdb).open()
  const state = stateOf(opened)
  await opened.store.close()
  return state
}

interface Moment {
  readonly before: Buffer
  readonly after: Buffer
  /** The transaction that `before` ends with. */
  readonly settled: number
  readonly states: { readonly before: StoreState; readonly after: StoreState }
}

/** Calls back with the file before and after every step of a life. */
async function eachWrite(
  seed: number,
  steps: number,
  use: (moment: Moment) => Promise<void>,
  disk = lmdbDisk(),
): Promise<void> {
  const life = drawLife(seed, steps)
  const { store } = disk.open()
  let before = fileIn(disk.dir)
  for (const [done, step] of life.steps.entries()) {
    const settled = newestTransaction(join(disk.dir, 'data.mdb'))
    await stepStore(store, step)
    const after = fileIn(disk.dir)
    const states = { before: life.states[done]!, after: life.states[done + 1]! }
    await use({ before, after, settled, states })
    before = after
  }
  await store.close()
}

/** An lmdb that was not tested finds the same, and so does the tested one after it. */
async function expectOthersToFind(state: StoreState, dir: string): Promise<void> {
  for (const lmdb of [flushes['two flushes'], undefined]) expect(await stateIn(dir, lmdb)).toEqual(state)
}

describe.each([1, 2, 3])('in life %i', (seed) => {
  const random = new Random(seed)

  test('[DU1][DU17] any sectors of an unfinished write leave what was before it, or all of it', async () => {
    const seen = { undone: 0, done: 0 }
    await eachWrite(seed, 60, async ({ before, after, settled, states }) => {
      const changed = changedSectors(before, after)
      // The flush was over, and nobody noted it yet.
      expect(await stateIn(newDisk(after, settled))).toEqual(states.after)
      for (let trial = 0; trial < 3; trial++) {
        const some = drawSectors(random, changed)
        // What came before it was noted, or not yet: then it is itself done again.
        const dir = newDisk(withSectors(before, after, some), settled - random.below(2))
        const other = copyOf(dir, fileIn(dir))
        const state = await stateIn(dir)
        const isMetaThere = some.some((sector) => metaSectors.includes(sector))
        expect(isMetaThere ? [states.before, states.after] : [states.before]).toContainEqual(state)
        await expectOthersToFind(state, other)
        if (some.length < changed.length && isMetaThere) {
          seen[isDeepStrictEqual(state, states.before) ? 'undone' : 'done']++
        }
      }
    })
    expect(seen.undone, 'transactions that LMDB had taken for whole are undone').toBeGreaterThan(50)
    expect(seen.done, 'and those of which nothing that counts is lost are not').toBeGreaterThan(3)
  })

  test('[DU1] a power loss while that is mended changes nothing', async () => {
    await eachWrite(seed, 20, async ({ before, after, settled }) => {
      const torn = withSectors(before, after, drawSectors(random, changedSectors(before, after)))
      for (const left of [torn, after]) {
        const dir = newDisk(left, settled)
        const redo = findRedo(dir, join(dir, 'data.mdb'))
        if (redo === undefined) continue
        const expected = await stateIn(copyOf(dir, left))
        const mended = await stagesOf(dir, redo.base)
        for (const [from, to] of [
          [left, mended.goneBack],
          [mended.goneBack, mended.doneAgain],
          [left, mended.doneAgain],
        ] as const) {
          const some = drawSectors(random, changedSectors(from, to))
          expect(await stateIn(copyOf(dir, withSectors(from, to, some)))).toEqual(expected)
          expect(await stateIn(copyOf(dir, to))).toEqual(expected)
        }
      }
    })
  })
})

test.each([1, 2, 3])(
  '[DU1] with the two flushes of LMDB, any sectors of a write whose second flush did not begin leave what was before it, in life %i',
  async (seed) => {
    const random = new Random(seed)
    const lmdb = flushes['two flushes']
    let lost = 0
    await eachWrite(
      seed,
      30,
      async ({ before, after, states }) => {
        const pages = changedSectors(before, after).filter((sector) => !metaSectors.includes(sector))
        const some = drawSectors(random, pages)
        if (some.length < pages.length) lost++
        const torn = withSectors(before, after, some)
        for (const next of Object.values(flushes)) {
          expect(await stateIn(newDisk(torn), next)).toEqual(states.before)
          expect(await stateIn(newDisk(after), next)).toEqual(states.after)
        }
      },
      lmdbDisk(undefined, lmdb),
    )
    expect(lost).toBeGreaterThan(20)
  },
)

function copyOf(dir: string, file: Buffer): string {
  const copy = newFolder()
  cpSync(dir, copy, { recursive: true })
  writeFileSync(join(copy, 'data.mdb'), file)
  return copy
}

/** The file once LMDB went back to the transaction before the newest, and once the newest was done again. */
async function stagesOf(dir: string, base: number): Promise<{ goneBack: Buffer; doneAgain: Buffer }> {
  const back = copyOf(dir, fileIn(dir))
  await open({ path: back, noSubdir: false, usePreviousSnapshot: base > 0 } as Parameters<
    typeof open
  >[0]).close()
  const again = copyOf(dir, fileIn(dir))
  await lmdbDisk(again).open().store.close()
  return { goneBack: fileIn(back), doneAgain: fileIn(again) }
}
