/** Runs scenarios that ship, as the tests of both hosts do. */
import { keepOperations } from '../../src/cli/operations-file.js'
import {
  type HostName,
  runScenario,
  type Scenario,
  type ScenarioResult,
  shippedScenarios,
  startHost,
} from '../../src/scenarios/index.js'

/** The scenarios that can run there, each by its name. */
export function shippedFor(host: HostName): [name: string, scenario: Scenario][] {
  return shippedScenarios().flatMap((scenario) =>
    scenario.hosts.includes(host) ? [[scenario.name, scenario]] : [],
  )
}

/** With `nemesisMs`, faults are drawn by chance for so long only. */
export async function runOn(
  host: HostName,
  scenario: Scenario,
  { seed, nemesisMs }: { seed: number; nemesisMs?: number },
): Promise<ScenarioResult> {
  const steps = scenario.steps.map((step) =>
    step.type === 'nemesis' && nemesisMs !== undefined ? { ...step, ms: nemesisMs } : step,
  )
  const { signal } = new AbortController()
  const started = await startHost(host, scenario, seed)
  try {
    return await runScenario({ ...scenario, steps }, started, {
      seed,
      signal,
      tell: () => {},
      keep: keepOperations,
    })
  } finally {
    await started.close()
  }
}

/** The complaints about a result; none when it passed. */
export function complaintsOf({ seed, expectations, failedStep, brokenPromises }: ScenarioResult): string[] {
  const notMet = expectations.flatMap(({ met, text, found }) => (met ? [] : [`${text} (found: ${found})`]))
  return [failedStep ?? [], brokenPromises, notMet].flat().map((each) => `seed ${seed}: ${each}`)
}
