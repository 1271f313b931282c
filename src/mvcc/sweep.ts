/**
 * Takes out of memory what compactions left behind, segment by segment, in portions. Nothing that the store answers
 * depends on how far the sweep is: the part of a segment that was swept is cut off.
 */
import type { Ref } from './records.js'
import type { Store } from './store.js'

/** A record costs as much as so many bytes, however short it is. */
const recordBytesMin = 256

export class Sweep {
  readonly #store: Store
  /** The position of the next segment, in the order of the revisions. */
  #position = 0
  /** The compaction whose sweep ended last, and the one that is being swept. */
  #swept = -1
  #sweeping = -1
  /** Bytes that the present step may still sweep. */
  #left = 0

  constructor(store: Store) {
    this.#store = store
  }

  /** Sweeps about so many bytes of records, if there are any to sweep. The last segment waits until it is full. */
  step(bytes: number): void {
    this.#left = bytes
    while (this.#left > 0 && this.#goesOn());
  }

  #goesOn(): boolean {
    const { records, compactRevision } = this.#store
    if (this.#swept === compactRevision) return false
    if (this.#sweeping === this.#swept) this.#sweeping = compactRevision
    const isLast = this.#position >= records.order.length - 1
    if (isLast || records.firstRevisionOf(records.order[this.#position]!) > this.#sweeping) {
      if (isLast && this.#waits()) return false
      this.#swept = this.#sweeping
      this.#position = 0
      return true
    }
    this.#sweepSegment()
    return true
  }

  /** Whether the last segment has something to sweep, so that the sweep goes on once it is full. */
  #waits(): boolean {
    const { records } = this.#store
    const last = records.order[this.#position]
    return last !== undefined && records.firstRevisionOf(last) <= this.#sweeping
  }

  #sweepSegment(): void {
    const { records } = this.#store
    const number = records.order[this.#position]!
    if (!records.isCut(number) && this.#keepsAll(number)) {
      this.#position++
      return
    }
    for (const ref of records.refsOf(number)) {
      if (this.#left <= 0) return records.cutBefore(ref)
      this.#left -= costOf(records.lengthOf(ref))
      if (this.#isKept(ref)) this.#move(ref)
      else this.#drop(ref)
    }
    records.end(this.#position)
  }

  #keepsAll(number: number): boolean {
    for (const ref of this.#store.records.refsOf(number)) {
      if (!this.#isKept(ref)) return false
      this.#left -= recordBytesMin
    }
    return true
  }

  /** A later compaction waits for its own sweep: in the segments behind, records lead to those that it would drop. */
  #isKept(ref: Ref): boolean {
    return this.#store.isKept(ref, this.#sweeping)
  }

  /** Earlier records of the key are gone, since they were swept before. */
  #drop(ref: Ref): void {
    const { records, keys } = this.#store
    const later = records.laterOf(ref)
    if (later === 0) keys.remove(records.keyOf(ref))
    else records.setEarlier(later, 0)
    records.uncount(ref)
  }

  /** Moves a record to the end of the segments before. */
  #move(ref: Ref): void {
    const { records, keys } = this.#store
    const before = records.order[this.#position - 1]
    let copy = before === undefined ? undefined : records.copyTo(before, ref)
    if (copy === undefined) {
      copy = records.copyTo(records.beginFor(ref, this.#position), ref)!
      this.#position++
    }
    records.uncount(ref)
    if (records.laterOf(copy) === 0) keys.setHead(records.keyOf(copy), copy)
  }
}

function costOf(bytes: number): number {
  return Math.max(bytes, recordBytesMin)
}
