/** A scenario that runs, as its story was told up to now. */
import type { ScenarioHead, ScenarioLine, ScenarioResult } from '../server/index.js'
import type { StreamEvent } from './event-lines.js'

export interface ScenarioStory {
  readonly head: ScenarioHead | undefined
  /** The last lines. */
  readonly lines: readonly ScenarioLine[]
  readonly linesLeftOut: number
  /** Steps that were begun. */
  readonly stepsBegun: number
  readonly result: ScenarioResult | undefined
  /** Why it has no verdict. */
  readonly failed: string | undefined
}

export const noStory: ScenarioStory = {
  head: undefined,
  lines: [],
  linesLeftOut: 0,
  stepsBegun: 0,
  result: undefined,
  failed: undefined,
}

const linesMax = 2000

/** Takes what a stream told. Its events begin anew with a scenario's head. */
export function withTold(story: ScenarioStory, events: readonly StreamEvent[]): ScenarioStory {
  let { head, result, failed, stepsBegun, linesLeftOut } = story
  let lines = [...story.lines]
  for (const { name, data } of events) {
    const told = JSON.parse(data)
    if (name === 'scenario') {
      ;({ result, failed, stepsBegun, linesLeftOut } = noStory)
      head = told
      lines = []
    } else if (name === 'line') {
      lines.push(told)
      if (told.isStep) stepsBegun++
    } else if (name === 'result') result = told
    else if (name === 'missed') linesLeftOut += told.count
    else if (name === 'failed') failed ??= told.message
  }
  const over = Math.max(0, lines.length - linesMax)
  return {
    ...{ head, result, failed, stepsBegun },
    lines: lines.slice(over),
    linesLeftOut: linesLeftOut + over,
  }
}

export function isOver({ result, failed }: ScenarioStory): boolean {
  return result !== undefined || failed !== undefined
}

/** A step that was begun is done once the next one begins, or the scenario is over. */
export function stepState(story: ScenarioStory, at: number): 'done' | 'now' | 'failed' | 'to come' {
  const { stepsBegun, result } = story
  const step = story.head?.steps[at]
  if (result?.failedStep !== undefined && step !== undefined && result.failedStep.startsWith(step))
    return 'failed'
  if (at >= stepsBegun) return 'to come'
  return at < stepsBegun - 1 || isOver(story) ? 'done' : 'now'
}
