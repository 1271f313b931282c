/**
 * The operations of one part in the order of their calls and returns, as a search needs them. Operations that failed are
 * not among them, and neither are reads of unknown outcome: no answer depends on them.
 */
import type { Model, Operation } from './model.js'

export class Timeline<Op extends Operation> {
  /** Completed operations in the order of their calls. */
  readonly completed: readonly Op[]
  /** Operations of unknown outcome in the order of their calls. */
  readonly unknown: readonly Op[]
  /**
   * Calls and returns of completed operations in the order of time, a call before a return at the same instant: the
   * operation's number for a call, and the complement of the number (`~number`) for a return.
   */
  readonly events: Int32Array
  /** The positions of each completed operation's call and return among the events. */
  readonly callAt: Int32Array
  readonly returnAt: Int32Array
  /** A number that no two completed operations have which overlap; all are below `slots`. */
  readonly slotOf: Int32Array
  readonly slots: number
  /** An operation of unknown outcome was called before the event at this position, and behind all earlier ones. */
  readonly unknownAt: Int32Array
  /** Of each operation, those of unknown outcome counted behind the completed ones. */
  readonly isRead: Uint8Array
  readonly isBlind: Uint8Array

  constructor(operations: readonly Op[], { isRead, isBlind }: Pick<Model<never, Op>, 'isRead' | 'isBlind'>) {
    const reads = (operation: Op): boolean => isRead?.(operation) === true
    const inOrder = [...operations].sort((one, other) => one.call - other.call)
    this.completed = inOrder.filter(({ outcome }) => outcome === 'ok')
    this.unknown = inOrder.filter((operation) => operation.outcome === 'unknown' && !reads(operation))
    const all = [...this.completed, ...this.unknown]
    this.isRead = Uint8Array.from(all, (operation) => (reads(operation) ? 1 : 0))
    this.isBlind = Uint8Array.from(all, (operation) => (isBlind?.(operation) === true ? 1 : 0))
    const count = this.completed.length
    this.events = new Int32Array(2 * count)
    this.callAt = new Int32Array(count)
    this.returnAt = new Int32Array(count)
    this.slotOf = new Int32Array(count)
    this.unknownAt = new Int32Array(this.unknown.length)
    this.slots = this.#order()
  }

  /** Merges the calls with the returns, and answers how many slots there are. */
  #order(): number {
    const { completed, unknown } = this
    const byReturn = completed.map((_, at) => at).sort((one, other) => this.#end(one) - this.#end(other))
    const freeSlots: number[] = []
    let slots = 0
    let calls = 0
    let unknowns = 0
    let position = 0
    for (const ended of byReturn) {
      const end = this.#end(ended)
      for (; calls < completed.length && completed[calls]!.call <= end; calls++) {
        this.events[position] = calls
        this.callAt[calls] = position++
        this.slotOf[calls] = freeSlots.pop() ?? slots++
      }
      for (; unknowns < unknown.length && unknown[unknowns]!.call <= end; unknowns++)
        this.unknownAt[unknowns] = position
      this.events[position] = ~ended
      this.returnAt[ended] = position++
      freeSlots.push(this.slotOf[ended]!)
    }
    // Operations that were called after the last return explain nothing.
    this.unknownAt.fill(position, unknowns)
    return slots
  }

  #end(at: number): number {
    return this.completed[at]!.return as number
  }
}
