/** Commands, queries and results on their way: one behind the other in one buffer, each behind its length. */

import { lengthOfBytes } from './bytes.js'

/** Bytes that precede each of them: a u32, little-endian. */
export const commandHeaderBytes = 4

/** Reused from one buffer to the next: its own grows to the largest of them and stays. */
export class Packer {
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  /** Bytes of its buffer: V8 does not inline the call that asks the buffer itself. */
  #capacity = this.#bytes.byteLength
  readonly #headerBytes: number
  readonly #bytesMax: number
  /** How far it may be filled as it is: to the end of its buffer, but not past `bytesMax`; 0 once it is full. */
  #room: number
  #length: number
  #count = 0

  /** Leaves `headerBytes` free before the first one, and takes none that would pass `bytesMax`, but for the first. */
  constructor(headerBytes: number, bytesMax = Number.POSITIVE_INFINITY) {
    this.#headerBytes = headerBytes
    this.#length = headerBytes
    this.#bytesMax = bytesMax
    this.#room = Math.min(this.#capacity, bytesMax)
  }

  get count(): number {
    return this.#count
  }

  get capacity(): number {
    return this.#capacity
  }

  /** Whether one was refused, as all are from then on, until what is there is taken. */
  get isFull(): boolean {
    return this.#room === 0
  }

  /** Bytes that would be taken now, header included. */
  get byteLength(): number {
    return this.#length
  }

  /** The buffer that offsets from `reserve` point into; another one after each `reserve` and `take`. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Makes room for one of `length` bytes and returns the offset in `bytes` where it goes. Throws when it is full. */
  reserve(length: number): number {
    const start = this.#roomFor(length)
    this.#took(start, length)
    return start
  }

  /** Takes the bytes whole. Bytes that cannot be copied throw, and nothing has changed. */
  append(bytes: Uint8Array): void {
    const length = lengthOfBytes(bytes)
    const start = this.#roomFor(length)
    this.#bytes.set(bytes, start)
    this.#took(start, length)
  }

  /** Takes over `count` that are packed already, each behind its length. */
  appendPacked(bytes: Uint8Array, count: number): void {
    const start = this.#length
    this.#roomFor(bytes.byteLength)
    this.#bytes.set(bytes, start)
    this.#length = start + bytes.byteLength
    this.#count += count
  }

  /** Gives up all that was reserved since the packer had this `byteLength` and this `count`. */
  rewind(byteLength: number, count: number): void {
    this.#length = byteLength
    this.#count = count
  }

  /** What was packed, in a buffer of its own, so that it can be transferred; the packer starts over, empty. */
  take(): { readonly bytes: Uint8Array; readonly count: number } {
    const taken = { bytes: this.#bytes.slice(0, this.#length), count: this.#count }
    this.#startOver()
    return taken
  }

  /** The same without a copy: its own buffer is given away, and it goes on in `next`, whatever lies there. */
  give(next: Uint8Array<ArrayBuffer>): { readonly bytes: Uint8Array; readonly count: number } {
    const given = { bytes: this.#bytes.subarray(0, this.#length), count: this.#count }
    this.#replace(next)
    this.#startOver()
    return given
  }

  #roomFor(length: number): number {
    const start = this.#length + commandHeaderBytes
    if (start + length > this.#room) this.#grow(start + length)
    return start
  }

  #took(start: number, length: number): void {
    this.#view.setUint32(this.#length, length, true)
    this.#length = start + length
    this.#count++
  }

  #startOver(): void {
    this.#length = this.#headerBytes
    this.#count = 0
    this.#room = Math.min(this.#capacity, this.#bytesMax)
  }

  #grow(needed: number): void {
    if (this.#count > 0 && needed > this.#bytesMax) this.#room = 0
    if (this.isFull) throw new Error(`no more than ${this.#bytesMax} bytes go into one buffer`)
    const grown = new Uint8Array(Math.max(needed, Math.min(this.#capacity * 2, this.#bytesMax)))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#replace(grown)
    this.#room = this.#capacity
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#capacity = bytes.byteLength
  }
}
