/** Causes of elections, as `explain election` finds them: as data for expectations, and in words for the end. */
import { boundsOf, causeTypes, type Election, explain, explainElections, span } from '../explain/index.js'
import { faultTypes } from '../faults/index.js'
import type { Story } from '../telemetry/index.js'

/** Elections that are told in words at the end; of more, the last ones. */
const toldMax = 2

/** The elections that were won since a moment on the clock of the story. */
export function electionsSince(story: Story, sinceMs: number): readonly Election[] {
  return explainElections(story).filter(({ atMs }) => atMs >= sinceMs)
}

/** The cause of an election: its kind, and the fault behind it, where there is one. */
export type CauseNames = Pick<Election['cause'], 'type' | 'faultType'>

export const causeNames: readonly string[] = [...faultTypes, ...causeTypes]

export function causesOf(elections: readonly Election[]): readonly CauseNames[] {
  return elections.map(({ cause: { type, faultType } }) => ({ type, faultType }))
}

export function causeInWords({ type, faultType }: CauseNames): string {
  return faultType === undefined ? type : `${faultType} (${type})`
}

/** The elections in words, a line each for a terminal. */
export function explainedIn(story: Story, sinceMs: number): readonly string[] {
  const told = electionsSince(story, sinceMs).slice(-toldMax)
  if (told.length === 0) return []
  const [beganMs] = boundsOf(story)
  const clock = `Times below count from the start of the cluster, ${span(sinceMs - beganMs)} before the first step.`
  return [clock, ...told.flatMap(({ term }) => explain(story, { about: 'election', term }).words.split('\n'))]
}
