/** The calls of the second before a moment, out of the frames that are kept. */
import type { Frame } from '../observer/index.js'
import { indexOfLast } from './history.js'

export interface CallsTold {
  /** The time in which these calls were counted. Less than a second where frames were left out; 0: nothing is known. */
  readonly coveredMs: number
  readonly count: number
  readonly failed: number
  /** Half of the calls took this time at most: the worst of the frames. */
  readonly p50us: number
  readonly p99us: number
}

/** A frame counts the calls since the frame before it. Where that one was left out, nobody knows since when. */
export function callsUpTo(frames: readonly Frame[], nowMs: number): CallsTold {
  let told: CallsTold = { coveredMs: 0, count: 0, failed: 0, p50us: 0, p99us: 0 }
  for (let at = indexOfLast(frames, ({ atMs }) => atMs <= nowMs); at > 0; at--) {
    const [before, frame] = [frames[at - 1] as Frame, frames[at] as Frame]
    if (frame.atMs <= nowMs - 1000) break
    if (before.number === frame.number - 1) told = withCalls(told, frame, frame.atMs - before.atMs)
  }
  return told
}

/** A frame without calls has no latencies: its zeros are none. */
function withCalls(told: CallsTold, { calls }: Frame, coveredMs: number): CallsTold {
  return {
    coveredMs: told.coveredMs + coveredMs,
    count: told.count + calls.count,
    failed: told.failed + calls.failed,
    p50us: Math.max(told.p50us, calls.count > 0 ? calls.p50us : 0),
    p99us: Math.max(told.p99us, calls.count > 0 ? calls.p99us : 0),
  }
}
