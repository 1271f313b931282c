/**
 * Every scenario that ships, on threads. `SCENARIO_RUNS=20 npx vitest run test/scenarios/threads` runs each so many
 * times in a row.
 */
import { expect, test } from 'vitest'
import { complaintsOf, runOn, shippedFor } from './shipped.js'

const runs = Number(process.env['SCENARIO_RUNS'] ?? 1)

// A storm of all faults has a file of its own, which runs beside this one.
test.each(shippedFor('threads').filter(([name]) => name !== 'chaos'))(
  '%s passes on threads',
  async (_, scenario) => {
    const complaints: string[] = []
    for (let seed = 1; seed <= runs; seed++) {
      const result = await runOn('threads', scenario, { seed })
      complaints.push(...complaintsOf(result))
    }
    expect(complaints).toEqual([])
  },
  180_000 * runs,
)
