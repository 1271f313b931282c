/**
 * Every scenario that ships, in virtual time. `SCENARIO_SEEDS=200 npx vitest run test/scenarios/simulated` runs so many
 * seeds of each.
 */
import { expect, test } from 'vitest'
import { findScenario, parseScenario, runScenario, startHost } from '../../src/scenarios/index.js'
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

test('an expected cause is the fault or the kind of cause, whichever the file names', async () => {
  const result = await runOn(
    'simulated',
    parseScenario(
      `name: try
teaches: try
steps:
  - for: 1s
  - pause leader
  - until: a new leader
expect:
  - election cause is pause
  - election cause is paused
  - election cause is link
`,
      'try.yaml',
    ),
    { seed: 1 },
  )
  expect(result.expectations.map(({ met, found }) => [met, found])).toEqual([
    [true, 'pause (paused)'],
    [true, 'pause (paused)'],
    [false, 'pause (paused)'],
  ])
  const [clock = '', ...lines] = result.explained
  expect(clock).toMatch(/^Times below count from the start of the cluster, \d.* before the first step\.$/)
  expect(lines.join(' ')).toContain('was frozen')
})
