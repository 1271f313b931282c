/** The power goes at every moment of a run at which a disk was given a write, or has flushed one. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Enumerated, enumerate, lossesAt, momentsOf } from './moments.js'
import { longRuns, partlyRuns, wholeRun } from './runs.js'

function expectUnbroken({ broken }: Enumerated): void {
  expect(broken.map(({ loss, violation }) => ({ loss, ...violation }))).toEqual([])
}

test('[DU1] [DU8] after a power loss at every moment of a run, of one node and of all, every promise holds', {
  timeout: 600_000,
}, () => {
  const enumerated = enumerate(wholeRun)
  expectUnbroken(enumerated)
  const { moments, losses, lost, kept, counts } = enumerated
  // The run has in it what a disk is written for.
  expect(counts.elections).toBeGreaterThan(1)
  const { truncations, snapshotsTaken, snapshotsInstalled, learnersAdded, applied } = counts
  for (const count of [truncations, snapshotsTaken, snapshotsInstalled, learnersAdded, applied])
    expect(count).toBeGreaterThan(0)
  expect(moments).toBeGreaterThan(300)
  expect(losses).toBeGreaterThan(3 * moments)
  expect([lost > moments, kept > moments]).toEqual([true, true])
})

test.each(partlyRuns)(
  '[DU1] [DU8] so do they after power losses in a run whose leader is removed, and on quick disks (seed $seed)',
  { timeout: 300_000 },
  (run) => {
    const enumerated = enumerate(run, 31)
    expectUnbroken(enumerated)
    expect(enumerated.losses).toBeGreaterThan(60)
    expect(enumerated.counts.jointChanges + enumerated.counts.votersRemoved).toBeGreaterThan(1)
  },
)

test('docs/proof.md tells how many moments and power losses the runs have', () => {
  const docs = readFileSync('docs/proof.md', 'utf8')
  const figures = [[wholeRun], partlyRuns, longRuns.slice(1 + partlyRuns.length)].map((runs) => {
    const moments = runs.flatMap((run) => momentsOf(run).moments)
    return [moments.length, moments.flatMap(lossesAt).length] as const
  })
  for (const [moments, losses] of figures)
    expect(docs).toContain(`| ${moments.toLocaleString('en')} | ${losses.toLocaleString('en')} | \`npm `)
  const all = figures.reduce((sum, [, losses]) => sum + losses, 0)
  expect(docs).toContain(`| power losses in virtual time | ${all.toLocaleString('en')} |`)
})

test('a run is the same each time, so that every moment comes again', () => {
  expect(momentsOf(wholeRun)).toEqual(momentsOf(wholeRun))
})

test('of the writes that are not flushed none, a part and all are on the disk, of the one node and of all', () => {
  const losses = lossesAt({ at: 4, nodeId: 1, what: 'given', unflushed: 2 })
  expect(losses.map(({ of, kept }) => `${of}: ${kept}`)).toEqual([
    'one node: 0',
    'one node: 1',
    'one node: 2',
    'all nodes: 0',
    'all nodes: 1',
    'all nodes: 2',
  ])
})
