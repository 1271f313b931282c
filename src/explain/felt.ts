/** Clients' waiting: the times in which nothing was committed, or answered. */
import type { Story } from '../telemetry/index.js'
import { allKeptSinceMs } from './passings.js'
import { lengthOf, overlaps, type Stretch } from './stretch.js'
import type { Advance, Timeline } from './timeline.js'

/** The stretches between two advances; the last one goes to the end of the story. */
export function gapsBetween(advances: readonly Advance[], endedMs: number): Stretch[] {
  return advances.map(({ atMs }, at) => ({ sinceMs: atMs, untilMs: advances[at + 1]?.atMs ?? endedMs }))
}

/** So many short gaps in a row are a load. */
export const busyGaps = 5

/** True when the last of the gaps are much shorter than the one that is asked about. */
export function isBusy(gaps: readonly Stretch[], { sinceMs, untilMs }: Stretch): boolean {
  const last = gaps.slice(-busyGaps)
  return last.length === busyGaps && last.every((each) => 4 * lengthOf(each) <= untilMs - sinceMs)
}

/** The longest wait of clients in a stretch of time. */
export interface Felt {
  /** Answers where all of them are kept, commits otherwise. */
  readonly waitedFor: 'answer' | 'commit'
  readonly sinceMs: number
  readonly untilMs: number
  /** Requests that were turned away meanwhile, as too much waited. */
  readonly refused: number
}

/**
 * The longest time without an answer (or a commit) around the window. `undefined`: the story tells of nobody who waited.
 * `servedUntilMs`: a leader that gave up could answer nobody for a while before.
 */
export function feltIn(
  timeline: Timeline,
  window: Stretch,
  servedUntilMs = window.sinceMs,
): Felt | undefined {
  const { story, commits, answers, openings, endedMs } = timeline
  // A node that ended keeps its old answers, while those of the next leader make room for newer ones.
  const isKept =
    answers[0] !== undefined && Math.max(answers[0].atMs, allKeptSinceMs(story)) <= window.sinceMs
  const waitedFor = isKept ? 'answer' : 'commit'
  // A leader opens its term with an entry of its own, also where no client asks for anything.
  const advances = isKept ? answers : commits.filter(({ index }) => !openings.has(index))
  const all = gapsBetween(advances, endedMs)
  // An idle time before the window is none in which anybody waited for it to end.
  const isIdle = ({ sinceMs }: Stretch): boolean => sinceMs < servedUntilMs - 2 * story.heartbeatIntervalMs
  // Without a load right before it, a gap that goes on long after the window, or that nothing ends, is one in which nobody
  // asked.
  const isWaitedFor = (gap: Stretch, at: number): boolean =>
    (at < all.length - 1 && gap.untilMs <= window.untilMs + story.electionTimeoutMs) ||
    (!isIdle(gap) && isBusy(all.slice(Math.max(0, at - busyGaps), at), gap))
  const gaps = all.filter((gap, at) => overlaps(gap, window) && isWaitedFor(gap, at))
  const felt = gaps.map((gap) => (isIdle(gap) ? { ...gap, sinceMs: window.sinceMs } : gap))
  const [longest] = felt.sort((a, b) => lengthOf(b) - lengthOf(a))
  return longest && { waitedFor, ...longest, refused: refusedIn(story, longest) }
}

export function refusedIn({ happened }: Story, { sinceMs, untilMs }: Stretch): number {
  let refused = 0
  for (const each of happened) {
    if (each.type === 'overloaded' && each.atMs >= sinceMs && each.atMs <= untilMs) refused += each.refused
  }
  return refused
}
