/**
 * Which records the log consists of, from the first one kept to the last: where each begins and its
 * checksum, in two columns of numbers, since a log may consist of 400,000 tiny records.
 */
import { assert, countOfLeading, type LogIndex } from '../raft/index.js'

export class Chain {
  /** Last entry of the last record; the entry before the first record when there is none. */
  lastIndex: LogIndex
  /** The checksum that the first record names as the one before it. */
  firstPrevious: number
  #starts: number[] = []
  #checksums: number[] = []

  constructor(lastIndex: LogIndex, firstPrevious: number) {
    this.lastIndex = lastIndex
    this.firstPrevious = firstPrevious
  }

  /** First entry of the first record: the place of the next one while there is none. */
  get firstIndex(): LogIndex {
    return this.#starts[0] ?? this.lastIndex + 1
  }

  /** The checksum that the next record names as the one before it. */
  get tail(): number {
    return this.#checksums.at(-1) ?? this.firstPrevious
  }

  /** The record that holds the entry: where it begins, and what it names as the checksum of the one before it. */
  recordOf(index: LogIndex): { readonly start: LogIndex; readonly previous: number } {
    assert(index >= this.firstIndex && index <= this.lastIndex, 'the record of an entry that is in the log')
    const position = this.#positionOf(index)
    const previous = this.#checksums[position - 1] ?? this.firstPrevious
    return { start: this.#starts[position] ?? index, previous }
  }

  append(index: LogIndex, count: number, checksum: number): void {
    assert(index === this.lastIndex + 1, 'a record continues the log without a gap')
    this.#starts.push(index)
    this.#checksums.push(checksum)
    this.lastIndex = index + count - 1
  }

  /**
   * Takes off the records that hold entries from `from` on. Returns where each began; the first of them may
   * hold entries before `from` as well, which are then to be written again.
   */
  truncate(from: LogIndex): number[] {
    assert(from <= this.lastIndex + 1, 'a log is truncated within its bounds')
    if (from > this.lastIndex) return []
    const kept = this.#positionOf(from)
    const removed = this.#starts.splice(kept)
    this.#checksums.splice(kept)
    this.lastIndex = (removed[0] ?? from) - 1
    return removed
  }

  /** Takes off the records that hold no entry after `base`. Returns where each began. */
  cut(base: LogIndex): number[] {
    assert(base <= this.lastIndex, 'a log is cut at an entry of its own')
    const cutCount = base === this.lastIndex ? this.#starts.length : this.#positionOf(base + 1)
    if (cutCount === 0) return []
    this.firstPrevious = this.#checksums[cutCount - 1] ?? this.firstPrevious
    const removed = this.#starts.slice(0, cutCount)
    this.#starts = this.#starts.slice(cutCount)
    this.#checksums = this.#checksums.slice(cutCount)
    return removed
  }

  /** Takes off all records and begins anew after `base`. Returns where each began. */
  restart(base: LogIndex, firstPrevious: number): number[] {
    const removed = this.#starts
    this.#starts = []
    this.#checksums = []
    this.lastIndex = base
    this.firstPrevious = firstPrevious
    return removed
  }

  /** Position of the record that holds `index`, which is in the log. */
  #positionOf(index: LogIndex): number {
    const last =
      countOfLeading(this.#starts.length, (at) => (this.#starts[at] ?? Number.POSITIVE_INFINITY) <= index) - 1
    return Math.max(0, last)
  }
}
