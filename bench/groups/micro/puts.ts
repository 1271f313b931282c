/** Frames and runs of puts, as a client's turn makes them. */
import { writePut } from '../../../src/machine/index.js'
import { type EntryRun, entryKinds, type Frame, FrameBuilder, stampRun } from '../../../src/raft/index.js'

const value = 'v'.repeat(112)
const keys = Array.from({ length: 10_000 }, (_, n) => `key-${String(n).padStart(8, '0')}`)
const builder = new FrameBuilder()
let nextKey = 0

/** A frame of `count` puts, 128 bytes of key and value each. */
export function frameOf(count: number): Frame {
  for (let n = 0; n < count; n++) writePut(builder, keys[nextKey++ % keys.length] ?? '', value)
  return builder.take()
}

/** The same as a run, first in its log. */
export function runOf(count: number): EntryRun {
  return stampRun(frameOf(count), 1, 1, entryKinds.commands)
}
