/**
 * Little-endian integers at any offset of plain bytes. No view is made, so short commands stay cheap. The caller has
 * checked that the field lies within the bytes.
 */
import { readUint32 } from '../raft/index.js'

export function readUint16(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8)
}

export function writeUint16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value
  bytes[offset + 1] = value >>> 8
}

const twoTo32 = 0x1_0000_0000

/** Reads a number, exactly up to 2^53. A larger number is read as one that is no safe integer. */
export function readUint64(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset) + readUint32(bytes, offset + 4) * twoTo32
}

/** Reads the same from a view, which is several times as fast where many numbers stand together. */
export function uint64At(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * twoTo32
}

/** Writes through a view: two words instead of eight bytes. */
export function setUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value, true)
  // Most numbers are small, and the division for the upper word takes longer than the rest of the call.
  view.setUint32(offset + 4, value < twoTo32 ? 0 : Math.floor(value / twoTo32), true)
}

let lastBytes: Uint8Array = new Uint8Array(0)
let lastBuffer: Buffer = Buffer.from(lastBytes.buffer)

/**
 * The same memory as a `Buffer`, which reads and writes strings natively. Many commands in a row go into the same
 * memory, so the last `Buffer` is kept and mostly serves again.
 */
export function bufferOf(bytes: Uint8Array): Buffer {
  if (bytes instanceof Buffer) return bytes
  if (bytes !== lastBytes) {
    lastBuffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    lastBytes = bytes
  }
  return lastBuffer
}
