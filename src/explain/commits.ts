/** When a cluster got on: the moments at which more was committed, or answered, than ever before. */
import type { Stage, Story } from '../telemetry/index.js'
import { overlaps, type Stretch } from './stretch.js'

export interface Advance {
  readonly atMs: number
  readonly index: number
}

export function advancesOf({ passed }: Story, stage: Stage): Advance[] {
  const rows = passed.filter((row) => row.stage === stage).sort((a, b) => a.atMs - b.atMs)
  const advances: Advance[] = []
  for (const { atMs, index } of rows) {
    if (index > (advances.at(-1)?.index ?? 0)) advances.push({ atMs, index })
  }
  return advances
}

/** The stretches between two advances; the last one goes to the end of the story. */
export function gapsBetween(advances: readonly Advance[], endedMs: number): Stretch[] {
  return advances.map(({ atMs }, at) => ({ sinceMs: atMs, untilMs: advances[at + 1]?.atMs ?? endedMs }))
}

/** What clients felt of a stretch of time. */
export interface Felt {
  /** What was waited for: answers where the story tells of them, commits otherwise. */
  readonly waitedFor: 'answer' | 'commit'
  readonly sinceMs: number
  readonly untilMs: number
  /** Requests that were turned away meanwhile, as too much waited. */
  readonly refused: number
}

/** The longest time without an answer (or a commit) around the window. `undefined`: the story tells of none. */
export function feltIn(story: Story, window: Stretch, endedMs: number): Felt | undefined {
  const answers = advancesOf(story, 'answered')
  const waitedFor = answers.length > 0 ? 'answer' : 'commit'
  const advances = answers.length > 0 ? answers : advancesOf(story, 'committed')
  const gaps = gapsBetween(advances, endedMs).filter((gap) => overlaps(gap, window))
  const [longest] = gaps.sort((a, b) => b.untilMs - b.sinceMs - (a.untilMs - a.sinceMs))
  return longest && { waitedFor, ...longest, refused: refusedIn(story, longest) }
}

export function refusedIn({ happened }: Story, { sinceMs, untilMs }: Stretch): number {
  let refused = 0
  for (const each of happened) {
    if (each.type === 'overloaded' && each.atMs >= sinceMs && each.atMs <= untilMs) refused += each.refused
  }
  return refused
}
