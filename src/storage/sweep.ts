/**
 * What no longer belongs to the log and still lies on the disk: records before the first one kept, pieces of
 * snapshots that are neither the newest nor retained. It is removed a slice at a time, within the
 * transactions of later writes, so that cutting off a long log never makes one transaction long. Nothing
 * here is under a key that is ever put again, and a restart finds what was left.
 */
import type { LogIndex } from '../raft/index.js'
import { chunkKey, logKey } from './keys.js'
import type { Change } from './table.js'

/**
 * Rows removed by a transaction that adds a few. Most add one, so the waste shrinks a great deal faster than
 * it grows; more would be felt in the latency of that write.
 */
const sliceRows = 64

export class Sweep {
  #records: readonly LogIndex[]
  #recordsTaken = 0
  readonly #pieces: { readonly generation: number; readonly offset: number }[]

  constructor(
    records: readonly LogIndex[],
    pieces: readonly { readonly generation: number; readonly offset: number }[],
  ) {
    this.#records = records
    this.#pieces = [...pieces]
  }

  /** Records of the log, by the first entry of each. */
  addRecords(starts: readonly LogIndex[]): void {
    const waiting = this.#records.slice(this.#recordsTaken)
    this.#records = waiting.length === 0 ? starts : [...waiting, ...starts]
    this.#recordsTaken = 0
  }

  addPieces(generation: number, offsets: readonly number[]): void {
    for (const offset of offsets) this.#pieces.push({ generation, offset })
  }

  /** The next slice, as removals: more than the `added` rows of the same transaction, so that waste never grows. */
  take(added: number): Change[] {
    const rowsMax = Math.max(sliceRows, 2 * added)
    const removals: Change[] = []
    const to = Math.min(this.#records.length, this.#recordsTaken + rowsMax)
    for (const start of this.#records.slice(this.#recordsTaken, to)) {
      removals.push({ key: logKey(start), value: undefined })
    }
    this.#recordsTaken = to
    for (const piece of this.#pieces.splice(0, rowsMax - removals.length)) {
      removals.push({ key: chunkKey(piece.generation, piece.offset), value: undefined })
    }
    return removals
  }
}
