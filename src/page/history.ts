/** The frames that the page keeps: all of the last minute, one a second of ten minutes, and a few of the time before. */
import type { Frame } from '../observer/index.js'
import { countOfLeading } from '../raft/index.js'
import { spanning } from '../telemetry/index.js'

const minuteMs = 60_000
/** Of frames so old, one is kept in each so many milliseconds. The oldest span is dropped beyond its end. */
const spans = [
  { olderThanMs: 120 * minuteMs, everyMs: Number.POSITIVE_INFINITY },
  { olderThanMs: 10 * minuteMs, everyMs: 10_000 },
  { olderThanMs: minuteMs, everyMs: 1000 },
  { olderThanMs: Number.NEGATIVE_INFINITY, everyMs: 0 },
] as const

/** Frames are thinned out once so many came: thinning looks at all of them. */
const unthinnedMax = 50

/** The frames kept, with new ones behind them. Frames that are not newer than those kept are left out. */
export function withFrames(kept: readonly Frame[], added: readonly Frame[]): readonly Frame[] {
  const lastNumber = kept.at(-1)?.number ?? 0
  const newer = added.filter(({ number }) => number > lastNumber)
  if (newer.length === 0) return kept
  const all = [...kept, ...newer]
  const isDue = Math.floor(all.length / unthinnedMax) > Math.floor(kept.length / unthinnedMax)
  return isDue ? thinned(all) : all
}

/** Of each stretch of time, its first frame, with the latencies of the frames that were left out before it. */
export function thinned(frames: readonly Frame[]): readonly Frame[] {
  const nowMs = frames.at(-1)?.atMs ?? 0
  const kept: Frame[] = []
  let stretchBefore = ''
  let leftOut: Frame | undefined
  for (const frame of frames) {
    const { atMs } = frame
    const everyMs = spans.find(({ olderThanMs }) => nowMs - atMs > olderThanMs)?.everyMs ?? 0
    if (!Number.isFinite(everyMs)) continue
    const spanned = leftOut === undefined ? frame : spanning(leftOut, frame)
    const stretch = everyMs === 0 ? undefined : `${everyMs} ${Math.floor(atMs / everyMs)}`
    const isLeftOut = stretch !== undefined && stretch === stretchBefore
    if (!isLeftOut) kept.push(spanned)
    leftOut = isLeftOut ? spanned : undefined
    stretchBefore = stretch ?? ''
  }
  return kept
}

/** The frame with this number, or the last one before it; the first one if all are later. */
export function frameAt(frames: readonly Frame[], number: number): Frame | undefined {
  return frames[indexOfLast(frames, (frame) => frame.number <= number)] ?? frames[0]
}

/** The index of the last item for which the rule holds, where it holds for all before that one; -1: for none. */
export function indexOfLast<Item>(items: readonly Item[], rule: (item: Item) => boolean): number {
  return countOfLeading(items.length, (at) => rule(items[at] as Item)) - 1
}
