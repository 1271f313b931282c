/** Clients in virtual time that ask again. The mistakes that must not go unseen are mutants. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Sessions } from '../../src/machine/sessions.js'
import { planOf, type SimulationOptions, simulate } from '../../src/sim/index.js'

const seeds = Array.from({ length: 12 }, (_, at) => at + 1)

/** A run whose clients write in sessions, with logs that are cut all the time. */
function runWith(seed: number, sessionMs: number, options: Partial<SimulationOptions> = {}) {
  const { load } = planOf(seed)
  const bounds = { logBytesMax: 2000, trailingBytes: 0 }
  return simulate({ seed, bounds, load: { ...load, sessionMs }, ...options })
}

describe.each([60_000, 150])('sessions of %d ms', (sessionMs) => {
  test.each(seeds)('[SE2][SE5] apply each call once, whatever happens (seed %i)', (seed) => {
    const { violation, counts } = runWith(seed, sessionMs)
    expect(violation).toBeUndefined()
    expect(counts.applied).toBeGreaterThan(0)
  })
})

test('[SE2] calls are asked again after an unknown outcome, and answered from memory', () => {
  const counts = { repeated: 0, expired: 0 }
  const { begin } = Sessions.prototype
  vi.spyOn(Sessions.prototype, 'begin').mockImplementation(function (this: Sessions, call, index) {
    const begun = begin.call(this, call, index)
    if (begun === 'expired') counts.expired++
    else if (typeof begun !== 'string' && begun.count > 0) counts.repeated++
    return begun
  })
  for (const seed of seeds) runWith(seed, 150)
  expect(counts.repeated).toBeGreaterThan(100)
  expect(counts.expired).toBeGreaterThan(10)
})

afterEach(() => void vi.restoreAllMocks())
