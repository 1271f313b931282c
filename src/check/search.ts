/**
 * The search for an order of the operations of one part in which each of them fits: that of Wing and Gong, with Lowe's memory
 * of the configurations in which it has been ("Testing for linearizability", 2017). Depth first, without recursion, and a bit
 * at a time: a caller runs it for so many steps, and asks its own clock in between.
 *
 * An operation may come next if it was called before the first return among the operations that have no place yet. A
 * configuration is told by that return, by the operations with a place among those that are under way then (a bit for each
 * slot), by the operations of unknown outcome that have a place, and by the state: also in a long history these are few words.
 */
import { RaftError } from '../errors/index.js'
import { ConfigurationSet, type Memory } from './configuration-set.js'
import type { Model, Operation } from './model.js'
import { States } from './states.js'
import type { Timeline } from './timeline.js'

/** `open`: the steps are used up. `full`: the memory is. */
export type SearchEnd = 'linearizable' | 'not-linearizable' | 'open' | 'full'

/** Steps between two looks at the clock: a few milliseconds, fewer steps where states are long texts. */
export const stepsAtOnce = 8192

/** Characters of states that a run may handle for each of its steps. */
const charactersAStep = 512

/** Operations of unknown outcome that may be passed over for each step of a run. */
const looksAStep = 64

/** Bytes of an operation's places in the timeline, in the links and in the order, beside what is found on the way. */
const bytesPerOperation = 64

/** Words of a configuration before its bits: the first return, and the number of the state. */
const headWords = 2
/** The configuration was just entered, and nothing is tried in it yet. */
const entered = -1

export class Search<State, Op extends Operation> {
  readonly #model: Model<State, Op>
  readonly #memory: Memory
  readonly #timeline: Timeline<Op>
  readonly #states: States<State, Op>
  readonly #visited: ConfigurationSet
  /** Links between the events of operations without a place, by position + 1; 0 is the head, and behind the last one. */
  readonly #next: Int32Array
  readonly #previous: Int32Array
  /** The present configuration. */
  readonly #row: Int32Array
  readonly #unknownWord: number
  /** The order so far: operations, those of unknown outcome counted behind the completed ones, and the states before them. */
  readonly #order: Int32Array
  readonly #stateBefore: Int32Array
  /** 1 where an operation was taken without a choice. */
  readonly #isForced: Uint8Array
  /** The state behind each blind operation that was tried, counted from 1. */
  readonly #blindState: Int32Array
  /** Operations of unknown outcome that were looked at: few of them may be steps. */
  #looks = 0
  #depth = 0
  #completedLeft: number
  /** The next thing to try: a link, or behind all links an operation of unknown outcome. */
  #cursor = entered
  #isFull = false
  #bytes = 0
  /** The order with the most completed operations, where it is kept, and among those the one with the fewest others. */
  readonly #longest: Int32Array | undefined
  #longestDepth = 0
  #longestLeft: number
  #stateBehind = 0
  /** Steps of the model that were taken. */
  steps = 0
  /**
   * The latest that a first return came to be, by its position. No operation that was called behind it was ever tried, so none
   * of them decides whether there is an order.
   */
  furthestReturn: number

  /** With `keepsLongest`, it keeps the longest order that it finds: for short histories only. */
  constructor(
    timeline: Timeline<Op>,
    model: Model<State, Op>,
    key: string,
    memory: Memory,
    keepsLongest = false,
  ) {
    const { completed, unknown, events, slots } = timeline
    this.#model = model
    this.#memory = memory
    this.#timeline = timeline
    const bytes = bytesPerOperation * (completed.length + unknown.length)
    if (memory.take(bytes)) this.#bytes = bytes
    else this.#isFull = true
    this.#completedLeft = completed.length
    this.#longestLeft = completed.length + 1
    this.#next = Int32Array.from({ length: events.length + 1 }, (_, at) => (at + 1) % (events.length + 1))
    this.#previous = Int32Array.from({ length: events.length + 1 }, (_, at) => at - 1)
    this.#previous[0] = events.length
    this.#unknownWord = headWords + Math.ceil(slots / 32)
    this.#row = new Int32Array(this.#unknownWord + Math.ceil(unknown.length / 32))
    this.#order = new Int32Array(completed.length + unknown.length)
    this.#stateBefore = new Int32Array(this.#order.length)
    this.#isForced = new Uint8Array(this.#order.length)
    this.#blindState = new Int32Array(this.#order.length)
    this.#longest = keepsLongest ? new Int32Array(this.#order.length) : undefined
    this.#visited = new ConfigurationSet(this.#row.length, memory)
    this.#states = new States(model, memory)
    this.furthestReturn = this.#firstReturn()
    this.#row[0] = this.furthestReturn
    this.#row[1] = this.#numberOf(model.initial(key))
  }

  run(stepsMax: number): SearchEnd {
    const stepsEnd = this.steps + stepsMax
    const looksEnd = this.#looks + looksAStep * stepsMax
    const charactersEnd = this.#states.characters + charactersAStep * stepsMax
    while (this.#completedLeft > 0) {
      if (this.#isFull) return 'full'
      if (this.steps >= stepsEnd || this.#looks >= looksEnd || this.#states.characters >= charactersEnd)
        return 'open'
      if (this.#advance()) continue
      this.#keepLongest()
      if (!this.#retreat()) return this.#isFull ? 'full' : 'not-linearizable'
    }
    return 'linearizable'
  }

  /** The longest order that was found where no operation could follow, and the state behind it. */
  get longest(): { readonly order: readonly Op[]; readonly state: State } {
    const { completed, unknown } = this.#timeline
    const order = Array.from(
      this.#longest?.subarray(0, this.#longestDepth) ?? [],
      (operation) => completed[operation] ?? unknown[operation - completed.length]!,
    )
    return { order, state: this.#states.at(this.#stateBehind) }
  }

  release(): void {
    this.#memory.giveBack(this.#bytes)
    this.#bytes = 0
    this.#visited.release()
    this.#states.release()
  }

  /** Gives the next operation a place. False when none fits that was not tried. */
  #advance(): boolean {
    if (this.#cursor === entered) {
      if (this.#takeRead()) return true
      const found = this.#visited.add(this.#row)
      if (found === 'full') this.#isFull = true
      if (found !== 'added') return false
      this.#cursor = this.#next[0]!
    }
    return this.#takeCompleted() || this.#takeUnknown()
  }

  #takeCompleted(): boolean {
    const { events, isRead } = this.#timeline
    for (; this.#cursor <= events.length; this.#cursor = this.#next[this.#cursor]!) {
      const operation = events[this.#cursor - 1]!
      if (operation < 0) {
        this.#cursor = events.length + 1
        return false
      }
      if (isRead[operation] === 0 && this.#take(operation)) return true
    }
    return false
  }

  #takeUnknown(): boolean {
    const { events, unknown, unknownAt } = this.#timeline
    if (this.#cursor === events.length + 1 && !this.#canDepend()) return false
    for (; this.#cursor - events.length <= unknown.length; this.#cursor++) {
      const at = this.#cursor - events.length - 1
      this.#looks++
      // Operations are in the order of their calls: all others are later, too.
      if (unknownAt[at]! > this.#row[0]!) return false
      if (!this.#isUsed(at) && this.#take(this.#completedCount + at)) return true
    }
    return false
  }

  /**
   * True if the effect of an operation of unknown outcome can matter here: to an operation that may come next, and is not
   * blind. Operations of unknown outcome alone need not have happened.
   */
  #canDepend(): boolean {
    const { events, isBlind } = this.#timeline
    for (let link = this.#next[0]!; events[link - 1]! >= 0; link = this.#next[link]!) {
      if (isBlind[events[link - 1]!] === 0) return true
    }
    return false
  }

  /**
   * Takes a read that fits. There is no other choice to come back to: the read changes nothing, so that whatever order has it
   * later has it here as well.
   */
  #takeRead(): boolean {
    const { events, isRead } = this.#timeline
    for (let link = this.#next[0]!; events[link - 1]! >= 0; link = this.#next[link]!) {
      const operation = events[link - 1]!
      if (isRead[operation] === 0) continue
      const after = this.#stepOf(this.#row[1]!, operation)
      if (after < 0) continue
      if (after !== this.#row[1])
        refuse('isRead', 'true only of operations that leave every state as it is', 'of one that changes it')
      this.#place(operation, after, true)
      return true
    }
    return false
  }

  #take(operation: number): boolean {
    const state = this.#row[1]!
    const isBlind = this.#timeline.isBlind[operation] === 1
    if (isBlind && this.#isBehindUnknown) return false
    const after = this.#stepOf(state, operation)
    if (isBlind) this.#checkBlind(operation, after)
    if (after < 0) return false
    // One of unknown outcome need not have happened if it changes nothing.
    if (operation >= this.#completedCount && after === state) return false
    if (this.#wasUseless(operation, after)) return false
    this.#place(operation, after, false)
    return true
  }

  /** A blind operation leaves the state that it has left before. */
  #checkBlind(operation: number, after: number): void {
    if (this.#isFull) return
    const before = this.#blindState[operation]!
    if (after < 0 || (before > 0 && before !== after + 1))
      refuse('isBlind', 'true only of operations that end in one state whatever was before', 'of another one')
    this.#blindState[operation] = after + 1
  }

  /** True if the operation before is of unknown outcome, and the state would be the same without it. */
  #wasUseless(operation: number, after: number): boolean {
    if (!this.#isBehindUnknown) return false
    return this.#stepOf(this.#stateBefore[this.#depth - 1]!, operation) === after
  }

  get #isBehindUnknown(): boolean {
    return this.#depth > 0 && this.#order[this.#depth - 1]! >= this.#completedCount
  }

  #place(operation: number, after: number, isForced: boolean): void {
    this.#order[this.#depth] = operation
    this.#stateBefore[this.#depth] = this.#row[1]!
    this.#isForced[this.#depth] = isForced ? 1 : 0
    this.#depth++
    this.#row[1] = after
    this.#cursor = entered
    if (operation >= this.#completedCount) return this.#setUsed(operation - this.#completedCount)
    const { callAt, returnAt } = this.#timeline
    this.#unlink(callAt[operation]! + 1)
    this.#unlink(returnAt[operation]! + 1)
    this.#flipSlot(operation)
    this.#completedLeft--
    const first = this.#firstReturn()
    this.#flipReturned(this.#row[0]!, first)
    this.#row[0] = first
    this.furthestReturn = Math.max(this.furthestReturn, first)
  }

  /** Takes the last choice back. False when there was none. */
  #retreat(): boolean {
    while (this.#depth > 0) {
      this.#depth--
      const operation = this.#order[this.#depth]!
      this.#row[1] = this.#stateBefore[this.#depth]!
      if (operation >= this.#completedCount) this.#setUsed(operation - this.#completedCount)
      else this.#takeBack(operation)
      if (this.#isForced[this.#depth] === 1) continue
      const { callAt, events } = this.#timeline
      this.#cursor =
        operation < this.#completedCount
          ? this.#next[callAt[operation]! + 1]!
          : events.length + 2 + operation - this.#completedCount
      return true
    }
    return false
  }

  #takeBack(operation: number): void {
    const { callAt, returnAt } = this.#timeline
    this.#completedLeft++
    this.#link(returnAt[operation]! + 1)
    this.#link(callAt[operation]! + 1)
    const first = this.#firstReturn()
    this.#flipReturned(first, this.#row[0]!)
    this.#row[0] = first
    this.#flipSlot(operation)
  }

  /** The number of the state after the operation, or -1 if the operation does not fit. */
  #stepOf(state: number, operation: number): number {
    this.steps++
    const { completed, unknown } = this.#timeline
    const isCompleted = operation < completed.length
    const told = isCompleted ? completed[operation]! : unknown[operation - completed.length]!
    const after = this.#model.step(this.#states.at(state), told)
    return after === undefined ? -1 : this.#numberOf(after)
  }

  #numberOf(state: State): number {
    const number = this.#states.numberOf(state)
    if (number < 0) this.#isFull = true
    return number
  }

  get #completedCount(): number {
    return this.#timeline.completed.length
  }

  /** The position of the first return among the operations without a place; behind all events when there is none. */
  #firstReturn(): number {
    const { events } = this.#timeline
    let link = this.#next[0]!
    while (link !== 0 && events[link - 1]! >= 0) link = this.#next[link]!
    return link === 0 ? events.length : link - 1
  }

  #unlink(link: number): void {
    this.#next[this.#previous[link]!] = this.#next[link]!
    this.#previous[this.#next[link]!] = this.#previous[link]!
  }

  #link(link: number): void {
    this.#next[this.#previous[link]!] = link
    this.#previous[this.#next[link]!] = link
  }

  /** Operations that returned within these positions have a place: a bit tells it only while they are under way. */
  #flipReturned(from: number, to: number): void {
    const { events } = this.#timeline
    for (let at = from; at < to; at++) if (events[at]! < 0) this.#flipSlot(~events[at]!)
  }

  #flipSlot(operation: number): void {
    const slot = this.#timeline.slotOf[operation]!
    this.#row[headWords + (slot >>> 5)]! ^= 1 << (slot & 31)
  }

  #isUsed(at: number): boolean {
    return ((this.#row[this.#unknownWord + (at >>> 5)]! >>> (at & 31)) & 1) === 1
  }

  /** Gives it a place, or takes the place back. */
  #setUsed(at: number): void {
    this.#row[this.#unknownWord + (at >>> 5)]! ^= 1 << (at & 31)
  }

  #keepLongest(): void {
    const isLonger =
      this.#completedLeft < this.#longestLeft ||
      (this.#completedLeft === this.#longestLeft && this.#depth < this.#longestDepth)
    if (this.#longest === undefined || !isLonger) return
    this.#longest.set(this.#order.subarray(0, this.#depth))
    this.#longestDepth = this.#depth
    this.#longestLeft = this.#completedLeft
    this.#stateBehind = this.#row[1]!
  }
}

function refuse(hint: string, expected: string, actual: string): never {
  throw new RaftError('INVALID_OPTION', { option: `model.${hint}`, expected, actual })
}
