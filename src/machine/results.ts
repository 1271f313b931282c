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

/**
 * From so many bytes on results leave in the buffer that they were packed in. Shorter ones are copied out of it, and so
 * are those that leave most of it free or were larger than `reusedBytesMax`.
 */
const givenBytesMin = 16 << 10
/** Buffers of more bytes are not used again. */
const reusedBytesMax = 1 << 20
/** Buffers that wait to be used again. */
const reusedMax = 4

/** Whether a buffer of results is worth sending back once they are read. */
export function isReusable({ byteLength }: ArrayBuffer): boolean {
  return byteLength >= givenBytesMin && byteLength <= reusedBytesMax
}

/** Packs results. Reused from turn to turn. */
export class ResultBuilder extends Packer implements ResultWriter {
  readonly #reused: Uint8Array<ArrayBuffer>[] = []

  constructor() {
    super(0)
  }

  /** Takes back the buffer of results that were read: memory that is new to a process costs more than to write into it. */
  reuse(buffer: ArrayBuffer): void {
    if (isReusable(buffer) && this.#reused.length < reusedMax) this.#reused.push(new Uint8Array(buffer))
  }

  override take(): PackedResults {
    const { byteLength, capacity } = this
    if (byteLength < givenBytesMin || byteLength < capacity / 4 || capacity > reusedBytesMax)
      return super.take()
    return this.give(this.#reused.pop() ?? new Uint8Array(capacity))
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
