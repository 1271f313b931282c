import { describe, expect, test } from 'vitest'
import { type SweepResult, sweep } from '../../src/jobs/index.js'
import { faultNames, simulate } from '../../src/sim/index.js'

const seeds = 240

describe(`${seeds} seeds`, () => {
  let result: SweepResult

  test('break no promise', { timeout: 240_000 }, async () => {
    result = await sweep({ seeds })
    expect(result.violations).toEqual([])
    expect(result.seeds).toBe(seeds)
  })

  // A test of the test: what never happens proves nothing.
  test.each(faultNames.filter((name) => name !== 'overflowed'))('have the fault %s', (name) => {
    expect(result.counts[name]).toBeGreaterThan(0)
  })

  test.each([
    ['elections', 3],
    ['stepDowns', 0.3],
    ['truncations', 0.3],
    ['snapshotsTaken', 10],
    ['snapshotsInstalled', 1],
    ['applied', 30],
    ['read', 30],
    ['refused', 30],
    ['unknown', 0],
    ['timedOut', 1],
  ] as const)('have %s: more than %d a seed', (name, least) => {
    expect(result.counts[name]).toBeGreaterThan(least * seeds)
  })
})

// Each found something once; what, is said beside it.
test.each([
  [41, 'a proposal that was truncated away was never settled, where nothing came to its place'],
  [597, 'in a changed leader, chunks of the next snapshot came into the write that installs the one before'],
])('seed %i holds: %s', (seed) => {
  expect(simulate({ seed }).violation).toBeUndefined()
})
