/**
 * Requests of one connection that have begun and not ended, and the memory that they may hold. A request that comes in
 * one frame never gets here.
 */
import type { Call } from './calls.js'
import { firstWindow } from './frames.js'
import { messageHeadBytes } from './outlet.js'

/**
 * Bytes of memory beyond which the oldest request alone gets more room on its stream. Room on the connection stays: a
 * connection without room could finish no request at all.
 */
const heldBytesMax = 16 << 20
/** Bytes of memory beyond which a request that grows is refused: streams may send their first windows unasked. */
const refusedBytesMin = 64 << 20
/** Bytes of a request's first memory, if the request is not shorter. */
const firstBytes = 512
/** The client is told of room on a stream once so much of it has been taken. */
export const takenBytesMin = firstWindow >>> 1

export class UnfinishedRequests {
  readonly #widen: (streamId: number, bytes: number) => void
  /** The oldest is the first. */
  readonly #calls = new Set<Call>()
  #heldBytes = 0

  /** `widen` tells the client of room on a stream. */
  constructor(widen: (streamId: number, bytes: number) => void) {
    this.#widen = widen
  }

  /**
   * The request goes on with these bytes. The length that the head of its message tells must be allowed. `false`: the
   * connection holds too much, and the request is to be refused.
   */
  append(call: Call, bytes: Buffer, start: number, end: number): boolean {
    const length = call.length + end - start
    if (length > call.bytes.length && !this.#grow(call, length)) return false
    bytes.copy(call.bytes, call.length, start, end)
    call.length = length
    return true
  }

  /** DATA of the request has been taken. */
  taken(call: Call, bytes: number): void {
    call.bytesTaken += bytes
    this.#credit(call)
  }

  /** The request has ended, or is given up. Its memory is its method's from here on. */
  release(call: Call): void {
    if (!this.#calls.delete(call)) return
    const wasTight = this.#heldBytes > heldBytesMax
    this.#heldBytes -= call.bytes.length
    if (!wasTight) return
    for (const each of this.#calls) {
      this.#credit(each)
      if (this.#heldBytes > heldBytesMax) return
    }
  }

  /** Memory doubles, so that short frames are not copied again and again, up to the length that the message tells. */
  #grow(call: Call, length: number): boolean {
    const most = call.messageBytes === undefined ? length : messageHeadBytes + call.messageBytes
    const bytes = Math.max(length, Math.min(most, Math.max(2 * call.bytes.length, firstBytes)))
    if (this.#heldBytes + bytes - call.bytes.length > refusedBytesMin) return false
    this.#heldBytes += bytes - call.bytes.length
    this.#calls.add(call)
    const grown = Buffer.allocUnsafeSlow(bytes)
    call.bytes.copy(grown, 0, 0, call.length)
    call.bytes = grown
    return true
  }

  #credit(call: Call): void {
    if (call.bytesTaken < takenBytesMin) return
    if (this.#heldBytes > heldBytesMax && !this.#isOldest(call)) return
    call.receiveWindow += call.bytesTaken
    this.#widen(call.streamId, call.bytesTaken)
    call.bytesTaken = 0
  }

  #isOldest(call: Call): boolean {
    for (const first of this.#calls) return first === call
    return false
  }
}
