/** The recording of one life of a node, which goes on without it: a recording is for looking back, and promises nothing. */
import { reasonOf } from '../errors/index.js'
import { RecordingFile } from '../recording/index.js'
import type { NodeOptions } from './control.js'

/** `undefined` where none is asked for, or its file cannot be made, which a warning of the process then says. */
export function openRecording({
  nodeId,
  recording,
}: Pick<NodeOptions, 'nodeId' | 'recording'>): RecordingFile | undefined {
  if (recording === undefined) return undefined
  const stopped = (why: string) =>
    process.emitWarning(
      `the recording of node ${nodeId} cannot be written, and the node goes on without it: ${why}`,
      'RaftboxWarning',
    )
  try {
    return new RecordingFile(recording, { stopped })
  } catch (error) {
    stopped(reasonOf(error))
    return undefined
  }
}
