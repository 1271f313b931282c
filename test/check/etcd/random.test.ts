/** The judge of etcd's histories against the definition, on small histories that are right and that are changed. */
import { expect, test } from 'vitest'
import { judgeEtcd } from '../../../src/check/index.js'
import { isRight } from './by-search.js'
import { changedHistory, RandomEtcd } from './random-etcd.js'
import { WildEtcd } from './wild-etcd.js'

const shape = { calls: 6, unknownShare: 0.25, watchShare: 0.7 }

test('a right history passes, also a long one', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const history = new RandomEtcd(seed, { ...shape, calls: 40, repeats: seed % 2 === 0 }).history()
    expect(judgeEtcd(history), `seed ${seed}`).toMatchObject({ failures: [] })
  }
})

/** Right histories that look wrong, each for a reason of its own. */
test.each([
  [10753, true],
  [11747, false],
  [30409, false],
  [30409, true],
])('the right history %i passes (values again: %s)', (seed, repeats) => {
  const history = new RandomEtcd(seed, { ...shape, calls: 40, repeats }).history()
  expect(judgeEtcd(history).failures).toEqual([])
})

test('a right history passes in which anything happens that etcd does', () => {
  for (let seed = 1; seed <= 700; seed++)
    expect(judgeEtcd(new WildEtcd(seed).history()), `seed ${seed}`).toMatchObject({ failures: [] })
})

/** A comparison that failed beside one of another key, deletes of keys that were gone, and a comparison with an unsure version. */
test.each([719, 16145, 28335, 83172])('the right history %i passes, in which anything happens', (seed) => {
  expect(judgeEtcd(new WildEtcd(seed).history()).failures).toEqual([])
})

test('a right history is no riddle where a watch of all keys tells its events', () => {
  let decided = 0
  for (let seed = 1; seed <= 100; seed++) {
    const history = new RandomEtcd(seed, { calls: 40, unknownShare: 0.2, watchShare: 1 }).history()
    if (judgeEtcd(history).verdict === 'consistent') decided++
  }
  expect(decided).toBeGreaterThan(60)
})

test('a changed history is judged as the definition judges it', () => {
  const counts = { consistent: 0, inconsistent: 0, unknown: 0 }
  for (let seed = 1; seed <= 1200; seed++) {
    const history = changedHistory(new RandomEtcd(seed, shape).history(), seed)
    const { verdict, failures } = judgeEtcd(history)
    counts[verdict]++
    const words = `seed ${seed}: ${JSON.stringify(failures[0])}\n${history.map((each) => JSON.stringify(each)).join('\n')}`
    if (verdict !== 'unknown') expect(verdict === 'consistent', words).toBe(isRight(history))
  }
  // Two of five changes are contradictions, and few histories are left open.
  expect(counts.inconsistent).toBeGreaterThan(400)
  expect(counts.unknown).toBeLessThan(60)
}, 120_000)
