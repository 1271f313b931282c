/** Frames that are kept: all of the last minute, and of the time before the fewer the longer ago. */
import { spanning } from '../telemetry/index.js'
import type { Frame } from './frame.js'

/** A frame as text, which takes a small part of the memory that its objects take. */
export interface KeptFrame {
  readonly number: number
  readonly atMs: number
  /** JSON. */
  readonly text: string
}

/** A stretch of the past, and how far its frames are from each other at least. */
interface Tier {
  readonly everyMs: number
  readonly framesMax: number
}

const tiers: readonly Tier[] = [
  { everyMs: 0, framesMax: 600 },
  { everyMs: 1000, framesMax: 600 },
  { everyMs: 10_000, framesMax: 1080 },
]

export class FrameHistory {
  /** For each tier its frames, oldest first. A tier is older than the tiers before it. */
  readonly #frames: KeptFrame[][] = tiers.map(() => [])

  /** Takes the newest frame. */
  add(frame: KeptFrame): void {
    let falling: KeptFrame | undefined = frame
    let newer: KeptFrame[] = []
    for (const [at, { everyMs, framesMax }] of tiers.entries()) {
      const frames = this.#frames[at] ?? []
      const last = frames.at(-1)
      if (falling === undefined) return
      // The oldest frame of the tier before falls into this one, or out of the history where another one is near.
      if (last !== undefined && falling.atMs - last.atMs < everyMs) return takeLatencies(newer, falling)
      frames.push(falling)
      falling = frames.length > framesMax ? frames.shift() : undefined
      newer = frames
    }
  }

  /** All frames that are kept, oldest first. */
  get frames(): readonly KeptFrame[] {
    return this.#frames.toReversed().flat()
  }
}

/** The oldest of the frames takes over the latencies of the one that fell out before it. */
function takeLatencies(frames: KeptFrame[], fallen: KeptFrame): void {
  const [next] = frames
  if (next === undefined) return
  const frame = spanning(JSON.parse(fallen.text) as Frame, JSON.parse(next.text) as Frame)
  frames[0] = { ...next, text: JSON.stringify(frame) }
}
