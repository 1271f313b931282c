/** Runs one seed in a thread of the pool, tells all that happens on a port, and writes a recording of it. */
import type { MessagePort } from 'node:worker_threads'
import { RecordingFile } from '../recording/index.js'
import { type SimulationResult, simulate } from '../sim/index.js'
import type { Story } from '../telemetry/index.js'

export interface Replay {
  readonly seed: number
  /** Takes a line for each thing that happens. */
  readonly trace: MessagePort | undefined
  /** The file of the recording; `undefined`: none is made. */
  readonly record: string | undefined
  /** Whether the story of the run is asked for. */
  readonly isTold: boolean
}

export type Replayed = SimulationResult & { readonly story: Story | undefined }

export default function replayJob({ seed, trace, record, isTold }: Replay): Replayed {
  const file = record === undefined ? undefined : new RecordingFile(record)
  try {
    let story: Story | undefined
    const result = simulate({
      seed,
      ...(trace && { trace: (line) => trace.postMessage(line) }),
      ...(file && { record: file.write }),
      story: (told) => {
        if (isTold) story = told
      },
    })
    return { ...result, story }
  } finally {
    file?.close()
  }
}
