/**
 * Every scenario that ships, in virtual time. `SCENARIO_SEEDS=200 npx vitest run test/scenarios/simulated` runs so many
 * seeds of each.
 */
import { expect, test } from 'vitest'
import { findScenario, runScenario, startHost } from '../../src/scenarios/index.js'
import { complaintsOf, runOn, shippedFor } from './shipped.js'

const seeds = Number(process.env['SCENARIO_SEEDS'] ?? 2)
const withinMs = 120_000 + 20_000 * seeds

test.each(shippedFor('simulated'))(
  '%s passes in virtual time',
  async (_, scenario) => {
    const complaints: string[] = []
    for (let seed = 1; seed <= seeds; seed++) {
      const result = await runOn('simulated', scenario, { seed, nemesisMs: 5000 })
      complaints.push(...complaintsOf(result))
    }
    expect(complaints).toEqual([])
  },
  withinMs,
)

test('the same seed is the same run', async () => {
  const scenario = findScenario('majority-partition')
  const told = [1, 1, 2].map(async (seed) => {
    const lines: string[] = []
    const tell = (line: string, sinceMs: number): void => void lines.push(`${sinceMs} ${line}`)
    const { signal } = new AbortController()
    const host = await startHost('simulated', scenario, seed)
    await runScenario(scenario, host, { seed, signal, tell })
    return lines
  })
  const [first, again, other] = await Promise.all(told)
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
})
