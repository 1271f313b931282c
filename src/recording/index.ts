/** Everything that a node's protocol was told, as lines of a file, and the same run again from those lines. */
export { BadLine, parseLine } from './line.js'
export { NodeRecorder } from './node-recorder.js'
export { RecordingFile } from './recording-file.js'
export { type Life, Replay } from './replay.js'
