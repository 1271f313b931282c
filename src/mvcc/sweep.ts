/**
 * Takes out of memory what compactions left behind, segment by segment, in portions. Nothing that the store answers
 * depends on how far the sweep is.
 */
import type { Ref } from './records.js'
import type { Store } from './store.js'

export class Sweep {
  readonly #store: Store
  /** The position of the next segment, in the order of the revisions. */
  #position = 0
  /** The compaction whose sweep ended last, and the one that is being swept. */
  #swept = -1
  #sweeping = -1

  constructor(store: Store) {
    this.#store = store
  }

  /** Sweeps one segment, if there is one to sweep. The last segment waits until it is full. */
  step(): void {
    const { records, compactRevision } = this.#store
    if (this.#swept === compactRevision) return
    if (this.#sweeping === this.#swept) this.#sweeping = compactRevision
    const isLast = this.#position >= records.order.length - 1
    if (isLast || records.firstRevisionOf(records.order[this.#position]!) > this.#sweeping) {
      if (isLast && this.#waits()) return
      this.#swept = this.#sweeping
      this.#position = 0
      return
    }
    this.#sweepSegment()
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
    const refs = [...records.refsOf(number)]
    // A later compaction waits for its own sweep: in the segments behind, records lead to those that it would drop.
    const isKept = refs.map((ref) => this.#store.isKept(ref, this.#sweeping))
    if (!isKept.includes(false)) {
      this.#position++
      return
    }
    for (const [at, ref] of refs.entries()) {
      if (isKept[at]) this.#move(ref)
      else this.#drop(ref)
    }
    records.end(this.#position)
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
