/**
 * Results on their way back to a client: packed like the commands of a frame, without its header. The node
 * writes, the client walks them in the order of its commands.
 */
import { commandHeaderBytes, Packer } from '../raft/index.js'
import type { ResultWriter } from './machine.js'
import { readUint32 } from './packed.js'

/** Results in a buffer of their own, so that it can be transferred between threads. */
export interface PackedResults {
  readonly bytes: Uint8Array
  readonly count: number
}

/** Packs results. Reused from turn to turn. */
export class ResultBuilder extends Packer implements ResultWriter {
  constructor() {
    super(0)
  }
}

/** Visits each result as a range of `results.bytes`, in the order of the commands. */
export function forEachResult(
  results: PackedResults,
  visit: (start: number, end: number, position: number) => void,
): void {
  let offset = 0
  for (let position = 0; position < results.count; position++) {
    const start = offset + commandHeaderBytes
    offset = start + readUint32(results.bytes, offset)
    visit(start, offset, position)
  }
}
