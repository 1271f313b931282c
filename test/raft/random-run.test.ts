import { describe, expect, test } from 'vitest'
import { Chaos, emptyTally, type Tally } from './support/chaos.js'

const seedsPerTest = 75

/** Of each of these a part has to have some, and of the common ones more. */
const rareThings = [
  ...(['strays', 'snapshots', 'installs', 'truncations', 'readsServed', 'changes', 'transfers'] as const),
]

/** Runs one seed to its end; whatever fails names the seed. */
function run(seed: number, steps = 1000): Tally {
  const chaos = new Chaos(seed)
  try {
    for (let step = 0; step < steps; step++) chaos.step()
    chaos.recover()
  } catch (error) {
    throw new Error(`seed ${seed}, step ${chaos.tally.steps}: ${(error as Error).message}`, { cause: error })
  }
  return chaos.tally
}

describe('loss, duplication, reordering, crashes, stalled disks and cut links', () => {
  // [EL19] election safety, [LR2] leader append-only, [LR14] log matching, [CM11] leader completeness and
  // state-machine safety (Figure 3), and a committed entry is on a majority of flushed disks: after every step. [TM8] every
  // answer counts for its own question, [EL22] no vote is taken back, [PV6] no term is raised in vain.
  test.each([0, 1, 2, 3])(
    '[CF4][CF14][TM8][EL22][PV6][EL19][LR2][LR14][CM11][CM1][RD7] the five properties hold, part %d',
    (part) => {
      const sum = emptyTally()
      for (let seed = part * seedsPerTest + 1; seed <= (part + 1) * seedsPerTest; seed++) {
        const tally = run(seed)
        for (const name of Object.keys(sum) as (keyof Tally)[]) sum[name] += tally[name]
      }
      // A run in which nothing happens proves nothing.
      expect(sum.committed).toBeGreaterThan(seedsPerTest * 10)
      expect(sum.terms).toBeGreaterThan(seedsPerTest)
      expect(sum.crashes).toBeGreaterThan(seedsPerTest * 5)
      for (const rare of rareThings) expect(sum[rare], rare).toBeGreaterThan(5)
    },
  )

  test.each([
    [22477, 'a joint configuration is left, and entries behind it are committed, in one step'],
    [10207, 'a follower learns of a commit by a readIndex, before the entries and their leaderCommit'],
    [32906, 'an acknowledgement leaves after a later leader replaced its entries'],
  ])('[CF4][RD20][DU13] seed %d: %s', (seed) => {
    expect(run(seed, 1200).committed).toBeGreaterThan(0)
  })

  test('[EL10] the same seed is the same run', () => {
    const images = [1, 2].map(() => {
      const chaos = new Chaos(77)
      for (let step = 0; step < 500; step++) chaos.step()
      return JSON.stringify([chaos.tally, chaos.watched.log, chaos.network.inFlight])
    })
    expect(images[0]).toBe(images[1])
  })
})
