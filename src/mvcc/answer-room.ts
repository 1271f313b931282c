/**
 * The room for the answer to one request. Every node makes the answer to a command, and its session keeps it, so an answer
 * without a bound would end all nodes alike, and again at each of their starts.
 */

/** Bytes of the answer to a command, or to a transaction. */
export const answerBytesMax = 64 << 20
/** Each record that is found counts as so many bytes at least, so that the work is bounded as well. */
const recordBytesMin = 32

export class AnswerRoom {
  #left = answerBytesMax

  /** Takes room for a record that was found. False: there is none, and the answer cannot be given. */
  take(recordBytes: number): boolean {
    this.#left -= Math.max(recordBytes, recordBytesMin)
    return !this.isOver
  }

  get isOver(): boolean {
    return this.#left < 0
  }
}
