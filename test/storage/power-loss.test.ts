/**
 * A power loss while a transaction is written: of all that was written since the last flush the disk has any part,
 * in any order, the page that makes LMDB count it included. A disk writes sectors, and a page has eight of them.
 */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { open } from 'lmdb'
import { describe, expect, test } from 'vitest'
import { Random } from '../../src/raft/index.js'
import { findRedo } from '../../src/storage/one-flush/redo.js'
import type { StoreState } from '../../src/testing/store-model.js'
import { flushes, lmdbDisk, newFolder } from './disks.js'
import { changedSectors, eachWrite, fileIn, metaSectors, newDisk, stateIn, withSectors } from './sectors.js'

/** Which sectors of a write the disk has: from all but one, over every other one, to one alone. */
function drawSectors(random: Random, changed: readonly number[]): number[] {
  const share = [0.05, 0.5, 0.95][random.below(3)]!
  return changed.filter((sector) => random.chance(metaSectors.includes(sector) ? 0.9 : share))
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
