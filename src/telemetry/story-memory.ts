/** The memory in which a node tells its story to the main thread. */
import { EventWriter } from './event-ring.js'
import { allocateWaymarks, type WaymarkMemory } from './waymarks.js'

export interface StoryMemory extends WaymarkMemory {
  readonly busy: SharedArrayBuffer
  readonly calm: SharedArrayBuffer
  /** The node's ring of happenings. */
  readonly happened: SharedArrayBuffer
  /** The sequence numbers of the cluster: one for all nodes. */
  readonly sequence: SharedArrayBuffer
}

export function allocateStory(sequence: SharedArrayBuffer): StoryMemory {
  return { ...allocateWaymarks(), happened: EventWriter.allocate(), sequence }
}

/** Milliseconds since 1970, with fractions, on one clock for all threads, which no change of the system's time moves. */
export function storyNow(): number {
  return storyTimeOf(performance.now())
}

/** The time of the story at a moment of `performance.now`. */
export function storyTimeOf(nowMs: number): number {
  return originMs + nowMs
}

const originMs = performance.timeOrigin
