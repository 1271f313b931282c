/** The files that ship: each is readable, and has something to teach. */
import { expect, test } from 'vitest'
import { findScenario, shippedScenarios } from '../../src/scenarios/index.js'

test('the scenarios that ship are there, and each says what it teaches', () => {
  const names = shippedScenarios().map(({ name }) => name)
  expect(names).toEqual(
    expect.arrayContaining([
      'leader-kill',
      'rolling-restart',
      'minority-partition',
      'majority-partition',
      'asymmetric-partition',
      'bridge',
      'flapping-link',
      'slow-disk-leader',
      'slow-disk-follower',
      'stalled-disk-leader',
      'full-disk',
      'pause-leader',
      'skewed-clock',
      'split-vote',
      'lagging-follower-snapshot',
      'power-loss-all',
      'client-cut-from-leader',
      'overload',
    ]),
  )
  for (const { name, teaches, expectations } of shippedScenarios()) {
    expect(findScenario(name).name).toBe(name)
    expect(teaches.length, name).toBeGreaterThan(100)
    expect(expectations.length, name).toBeGreaterThan(1)
  }
})

test('a name that is neither a scenario nor a file is refused', () => {
  expect(() => findScenario('leader-kil')).toThrow(
    /^leader-kil is no scenario that ships \(did you mean leader-kill\?\), and cannot be read as a file: ENOENT/,
  )
})
