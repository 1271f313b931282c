/** Causes of elections, as `explain election` finds them: as data for expectations, and in words for the end. */
import { type Election, explain, explainElections } from '../explain/index.js'
import type { Story } from '../telemetry/index.js'

/** Elections that are told in words at the end; of more, the last ones. */
const toldMax = 2

/** The elections that were won since a moment on the clock of the story. */
export function electionsSince(story: Story, sinceMs: number): readonly Election[] {
  return explainElections(story).filter(({ atMs }) => atMs >= sinceMs)
}

/** The causes of these elections: each a fault (`kill`, `cut`, `stallDisk`, …), or else a kind of cause (`failed`, …). */
export function causesOf(elections: readonly Election[]): readonly string[] {
  return elections.map(({ cause }) => cause.faultType ?? cause.type)
}

/** The elections in words, a line each for a terminal. */
export function explainedIn(story: Story, sinceMs: number): readonly string[] {
  const told = electionsSince(story, sinceMs).slice(-toldMax)
  return told.flatMap(({ term }) => explain(story, { about: 'election', term }).words.split('\n'))
}
