/** Starts scenarios and follows the one that runs: the whole page then shows its cluster. */
import { effect, signal } from '@preact/signals'
import { answerOf, getJson, openStream, wordsOf } from './api.js'
import { isOver, noStory, type ScenarioStory, withTold } from './scenario-story.js'
import { follow, followCluster } from './source.js'
import { subject } from './store.js'

export interface ScenarioListed {
  readonly name: string
  readonly teaches: string
  readonly hosts: readonly string[]
  readonly nodes: number
}

export const scenarios = signal<readonly ScenarioListed[]>([])
/** The name of the scenario that runs in the sandbox. */
export const running = signal<string | undefined>(undefined)
export const story = signal<ScenarioStory>(noStory)
/** Why the last thing that was asked for was not done. */
export const refused = signal<string | undefined>(undefined)

export async function readScenarios(): Promise<void> {
  try {
    const told = await getJson<{ scenarios: ScenarioListed[]; running: string | null }>('/api/scenarios')
    scenarios.value = told.scenarios
    running.value = told.running ?? undefined
  } catch (error) {
    refused.value = wordsOf(error)
  }
}

export async function startScenario(name: string): Promise<void> {
  refused.value = undefined
  const answer = await answerOf('/api/scenarios/run', { method: 'POST', body: name })
  if (answer.ok) followScenario()
  else refused.value = answer.message
  await readScenarios()
}

/** From its first step on, also one that is over. */
export function followScenario(): void {
  story.value = noStory
  follow('scenario', '/api/scenarios/run/frames?history=1', '/api/scenarios/run/events')
  const close = openStream('/api/scenarios/run', {
    onEvents(events) {
      story.value = withTold(story.value, events)
      if (!isOver(story.value)) return
      close()
      void readScenarios()
    },
  })
  const end = effect(() => {
    if (subject.value === 'scenario') return
    close()
    // An effect cannot be ended while it runs for the first time.
    queueMicrotask(() => end())
  })
}

export async function endScenario(): Promise<void> {
  const answer = await answerOf('/api/scenarios/run', { method: 'DELETE' })
  if (!answer.ok) refused.value = answer.message
}

export function leaveScenario(): void {
  followCluster()
  void readScenarios()
}
