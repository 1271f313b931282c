/**
 * Results on their way back to a client: packed like the commands of a frame, without its header. The node
 * writes, the client walks them in the order of its commands.
 */
import { commandHeaderBytes, isBytes, Packer, readUint32 } from '../raft/index.js'
import type { ResultWriter } from './machine.js'
import { owed } from './owed.js'

/** Results in a buffer of their own, so that it can be transferred between threads. */
export interface PackedResults {
  readonly bytes: Uint8Array
  readonly count: number
}

/**
 * Results of at least this many bytes leave in the buffer that they were packed in. Shorter results are copied out of
 * the buffer, and so are results that leave most of the buffer free.
 */
const givenBytesMin = 16 << 10
/** Bytes of results that a node makes in one turn; a single result may be longer. A longer buffer is not kept. */
export const resultBytesMaxDefault = 1 << 20
/** Buffers that wait to be used again. */
const reusedMax = 4

/** Whether a buffer of results is worth sending back once they are read. */
export function isReusable({ byteLength }: ArrayBuffer): boolean {
  return byteLength >= givenBytesMin && byteLength <= resultBytesMaxDefault
}

/** Packs results. Reused from turn to turn. */
export class ResultBuilder extends Packer implements ResultWriter {
  readonly #reused: Uint8Array<ArrayBuffer>[] = []

  /** Refuses a result that would pass `bytesMax`, unless it is the first. */
  constructor(bytesMax?: number) {
    super(0, bytesMax)
  }

  /** Looks at what is no result only once it could not be copied, so that the look costs results nothing. */
  override append(result: Uint8Array): void {
    try {
      super.append(result)
    } catch (error) {
      throw isBytes(result) ? error : owed('a Uint8Array for each result', result)
    }
  }

  /** Takes back the buffer of results that were read. Fresh memory costs a process more than writing into it does. */
  reuse(buffer: ArrayBuffer): void {
    if (isReusable(buffer) && this.#reused.length < reusedMax) this.#reused.push(new Uint8Array(buffer))
  }

  override take(): PackedResults {
    const { byteLength, capacity } = this
    if (byteLength < givenBytesMin || byteLength < capacity / 4) return super.take()
    return this.give(this.#reused.pop() ?? new Uint8Array(Math.min(capacity, resultBytesMaxDefault)))
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

/** The offset behind the `count` results that begin at `from`. `undefined` when the bytes hold fewer results. */
export function endOfResults(bytes: Uint8Array, from: number, count: number): number | undefined {
  let end = from
  for (let position = 0; position < count; position++) {
    if (end + commandHeaderBytes > bytes.byteLength) return undefined
    end += commandHeaderBytes + readUint32(bytes, end)
  }
  return end <= bytes.byteLength ? end : undefined
}
