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

export interface Replayed extends SimulationResult {
  readonly story: Story | undefined
  /** Why the recording ended before the run; `undefined`: it did not, or there is none. */
  readonly recordingEnded: string | undefined
}

export default function replayJob({ seed, trace, record, isTold }: Replay): Replayed {
  let story: Story | undefined
  let recordingEnded: string | undefined
  // A full disk of this machine is none of the faults of the run, which goes on.
  const stopped = (why: string): void => {
    recordingEnded = why
  }
  const file = record === undefined ? undefined : new RecordingFile(record, { stopped })
  try {
    const result = simulate({
      seed,
      ...(trace && { trace: (line) => trace.postMessage(line) }),
      ...(file && { record: file.write }),
      story: (told) => {
        if (isTold) story = told
      },
    })
    // The last piece may find no room either.
    file?.close()
    return { ...result, story, recordingEnded }
  } catch (error) {
    file?.close()
    throw error
  }
}
