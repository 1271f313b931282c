/** Buffers of answers to queries, all of which were copied by those who asked: they go back to whoever leads. */
import { isReusable } from '../machine/index.js'

/** Buffers that wait to go back. */
const buffersMax = 4

export class ReadBuffers {
  #buffers: ArrayBuffer[] = []

  add(buffer: ArrayBuffer): void {
    if (isReusable(buffer) && this.#buffers.length < buffersMax) this.#buffers.push(buffer)
  }

  take(): ArrayBuffer[] {
    const taken = this.#buffers
    this.#buffers = []
    return taken
  }
}
