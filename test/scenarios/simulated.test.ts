/**
 * Every scenario that ships, in virtual time. `SCENARIO_SEEDS=200 npx vitest run test/scenarios/simulated` runs so many
 * seeds of each.
 */
import { describe, expect, test } from 'vitest'
import {
  findScenario,
  runScenario,
  type Scenario,
  type ScenarioResult,
  shippedScenarios,
  startHost,
} from '../../src/scenarios/index.js'

const seeds = Number(process.env['SCENARIO_SEEDS'] ?? 2)
const secondsMax = 120 + seeds * 20
/** Virtual time in which faults are drawn by chance. */
const nemesisMs = 5000

describe('in virtual time', () => {
  const shipped = shippedScenarios()
    .filter(({ hosts }) => hosts.includes('simulated'))
    .map((scenario) => ({ ...scenario, steps: scenario.steps.map(shortened) }))

  test.each(shipped.map((scenario) => [scenario.name, scenario] as const))(
    '%s passes',
    async (_, scenario) => {
      const { signal } = new AbortController()
      const failed: Partial<ScenarioResult>[] = []
      for (let seed = 1; seed <= seeds; seed++) {
        const host = await startHost('simulated', scenario, seed)
        const result = await runScenario(scenario, host, { seed, signal, tell: () => {} })
        await host.close()
        if (result.verdict !== 'passed') failed.push(whyFailed(result))
      }
      expect(failed).toEqual([])
    },
    secondsMax * 1000,
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
})

function shortened(step: Scenario['steps'][number]): Scenario['steps'][number] {
  return step.type === 'nemesis' ? { ...step, ms: nemesisMs } : step
}

function whyFailed({ seed, expectations, failedStep, brokenPromises }: ScenarioResult): object {
  const notMet = expectations.flatMap(({ met, text, found }) => (met ? [] : [`${text} (found: ${found})`]))
  return { seed, notMet, failedStep, brokenPromises }
}
