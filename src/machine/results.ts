/**
 * Results on their way back to a client: packed like the commands of a frame, without its header. The node
 * writes, the client walks them in the order of its commands.
 */
import { commandHeaderBytes } from '../raft/index.js'
import type { ResultWriter } from './machine.js'
import { readUint32, writeUint32 } from './packed.js'

/** Results in a buffer of their own, so that it can be transferred between threads. */
export interface PackedResults {
  readonly bytes: Uint8Array
  readonly count: number
}

/** Packs results. Reused from turn to turn: its buffer grows to the largest one and stays. */
export class ResultBuilder implements ResultWriter {
  #bytes = new Uint8Array(4096)
  #length = 0
  #count = 0

  get count(): number {
    return this.#count
  }

  get byteLength(): number {
    return this.#length
  }

  /** The buffer that offsets from `reserve` point into; another one after each `reserve`. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  reserve(length: number): number {
    const start = this.#length + commandHeaderBytes
    if (start + length > this.#bytes.byteLength) this.#grow(start + length)
    writeUint32(this.#bytes, this.#length, length)
    this.#length = start + length
    this.#count++
    return start
  }

  append(result: Uint8Array): void {
    const start = this.reserve(result.byteLength)
    this.#bytes.set(result, start)
  }

  /** Drops what was written. */
  reset(): void {
    this.#length = 0
    this.#count = 0
  }

  take(): PackedResults {
    const results: PackedResults = { bytes: this.#bytes.slice(0, this.#length), count: this.#count }
    this.reset()
    return results
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
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
