/** Runs one seed in a thread of the pool, and tells all that happens on a port. */
import type { MessagePort } from 'node:worker_threads'
import { type SimulationResult, simulate } from '../sim/index.js'

export interface Replay {
  readonly seed: number
  /** Takes a line for each thing that happens. */
  readonly trace: MessagePort | undefined
}

export default function replayJob({ seed, trace }: Replay): SimulationResult {
  return simulate({ seed, ...(trace !== undefined && { trace: (line) => trace.postMessage(line) }) })
}
