/** Runs one seed in a thread of the pool, tells all that happens on a port, and writes a recording of it. */
import type { MessagePort } from 'node:worker_threads'
import { RecordingFile } from '../recording/index.js'
import { type SimulationResult, simulate } from '../sim/index.js'

export interface Replay {
  readonly seed: number
  /** Takes a line for each thing that happens. */
  readonly trace: MessagePort | undefined
  /** The file of the recording; `undefined`: none is made. */
  readonly record: string | undefined
}

export default function replayJob({ seed, trace, record }: Replay): SimulationResult {
  const file = record === undefined ? undefined : new RecordingFile(record)
  try {
    return simulate({
      seed,
      ...(trace && { trace: (line) => trace.postMessage(line) }),
      ...(file && { record: file.write }),
    })
  } finally {
    file?.close()
  }
}
