/** Shrinks one seed, in a thread of the pool. */
import { Bound, type Shrunk, shrink } from '../shrink/index.js'

export interface ShrinkTask {
  readonly seed: number
  /** The memory of the bound. */
  readonly memory: SharedArrayBuffer
}

export default function shrinkJob({ seed, memory }: ShrinkTask): Shrunk | undefined {
  return shrink(seed, new Bound(memory))
}
