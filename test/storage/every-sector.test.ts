/**
 * Every write of a store on a real LMDB file, torn at every sector. A disk may write the sectors of an unfinished write in
 * any order, so at each sector it is torn in both directions, that sector alone is there, and that sector alone is missing.
 */
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { flushes, lmdbDisk } from './disks.js'
import { changedSectors, eachWrite, metaSectors, newDisk, stateIn, withSectors } from './sectors.js'

/** The sectors that the disk has, each way once; the first has none of them, and the last has all. */
function waysToTear(changed: readonly number[]): number[][] {
  const ways = changed.flatMap((sector, at) => [
    changed.slice(0, at),
    changed.slice(at),
    [sector],
    changed.filter((other) => other !== sector),
  ])
  const byText = new Map([...ways, [...changed]].map((way) => [way.join(), way]))
  return [...byText.values()]
}

/** So many steps of a life: enough for votes, conflicts, and snapshots taken, received and cut behind. */
const steps = 24

test('a write is torn at each sector in both directions', () => {
  expect(waysToTear([3, 5, 8])).toEqual(
    expect.arrayContaining([[], [3], [3, 5], [5, 8], [8], [3, 8], [3, 5, 8]]),
  )
})

test('[DU1] [DU4] [DU6] with one flush, a write torn at any sector leaves what was before it, or all of it', {
  timeout: 600_000,
}, async () => {
  // `before` and `after`: the torn ones that held what was before the write, and those that held all of it.
  const seen = { writes: 0, flushed: 0, torn: 0, before: 0, after: 0 }
  await eachWrite(4, steps, async ({ before, after, settled, states }) => {
    seen.writes++
    const changed = changedSectors(before, after)
    // The flush is over. It is noted, or not yet.
    for (const noted of [settled, settled + 1]) {
      expect(await stateIn(newDisk(after, noted))).toEqual(states.after)
      seen.flushed++
    }
    for (const way of waysToTear(changed)) {
      // The transaction before was flushed and is noted, or not yet: then it is done again.
      const noted = settled - (seen.torn % 2)
      const state = await stateIn(newDisk(withSectors(before, after, way), noted))
      const isMetaThere = way.some((sector) => metaSectors.includes(sector))
      const where = `write ${seen.writes}, sectors ${way.join()} of ${changed.join()}`
      expect(isMetaThere ? [states.before, states.after] : [states.before], where).toContainEqual(state)
      if (way.length === changed.length) expect(state, where).toEqual(states.after)
      seen.torn++
      seen[isDeepStrictEqual(state, states.before) ? 'before' : 'after']++
    }
  })
  expect([seen.writes, seen.flushed]).toEqual([steps, 2 * steps])
  expect(seen.torn).toBeGreaterThan(3000)
  expect(seen.before).toBeGreaterThan(2000)
  expect(seen.after).toBeGreaterThan(200)
})

test('[DU1] [DU4] [DU6] with the two flushes of LMDB, pages torn at any sector leave what was before them', {
  timeout: 600_000,
}, async () => {
  const seen = { writes: 0, torn: 0 }
  const lmdb = flushes['two flushes']
  const disk = lmdbDisk(undefined, lmdb)
  await eachWrite(
    4,
    steps,
    async ({ before, after, states }) => {
      seen.writes++
      expect(await stateIn(newDisk(after), lmdb)).toEqual(states.after)
      // The page that makes them count is written once they are flushed, and lies in one sector.
      const pages = changedSectors(before, after).filter((sector) => !metaSectors.includes(sector))
      for (const way of waysToTear(pages)) {
        expect(await stateIn(newDisk(withSectors(before, after, way)), lmdb)).toEqual(states.before)
        seen.torn++
      }
    },
    disk,
  )
  expect(seen.writes).toBe(steps)
  expect(seen.torn).toBeGreaterThan(3000)
})
