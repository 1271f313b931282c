/**
 * Buffers of frames whose calls are settled, for frames to come. A frame of commands is kept until it is answered, so its
 * packer gives its own buffer away and goes on in one of these: fresh memory costs more than writing into it does.
 */

/** A shorter frame is copied out of the packer's buffer. */
const keptBytesMin = 16 << 10
/** A longer buffer is not kept. */
const keptBytesMax = 1 << 20
const buffersMax = 8

export class FrameBuffers {
  readonly #buffers: Uint8Array<ArrayBuffer>[] = []

  /** Whether a frame of `byteLength` bytes is worth a buffer of `capacity` bytes. A frame counts for its own bytes alone. */
  isWorth(byteLength: number, capacity: number): boolean {
    return byteLength >= keptBytesMin && byteLength >= capacity / 2
  }

  take(capacity: number): Uint8Array<ArrayBuffer> {
    return this.#buffers.pop() ?? new Uint8Array(Math.min(capacity, keptBytesMax))
  }

  /** Nobody reads these bytes any more. */
  reuse({ buffer }: Uint8Array): void {
    const { byteLength } = buffer
    if (byteLength < keptBytesMin || byteLength > keptBytesMax || this.#buffers.length === buffersMax) return
    this.#buffers.push(new Uint8Array(buffer as ArrayBuffer))
  }
}
