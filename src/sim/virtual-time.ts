/**
 * Virtual time: what happens next, in an order that depends on nothing but what was asked for. Time is
 * counted in whole microseconds, so that no sum of delays depends on how it was rounded.
 */

interface Happening {
  readonly atUs: number
  /** Breaks ties: what was asked for first happens first. */
  readonly sequence: number
  readonly run: () => void
}

export class VirtualTime {
  #nowUs = 0
  #sequence = 0
  /** A binary heap, the earliest first. */
  readonly #heap: Happening[] = []

  get nowUs(): number {
    return this.#nowUs
  }

  get nowMs(): number {
    return this.#nowUs / 1000
  }

  /** Runs `run` once, `delayUs` from now; never before it returns. */
  after(delayUs: number, run: () => void): void {
    const happening = {
      atUs: this.#nowUs + Math.max(0, Math.round(delayUs)),
      sequence: ++this.#sequence,
      run,
    }
    const heap = this.#heap
    let at = heap.length
    heap.push(happening)
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = heap[parentAt]
      if (parent === undefined || isBefore(parent, happening)) break
      heap[at] = parent
      at = parentAt
    }
    heap[at] = happening
  }

  /** Runs what is next, if it is due by `untilUs`; otherwise time moves there, and the answer is false. */
  step(untilUs: number): boolean {
    const next = this.#heap[0]
    if (next === undefined || next.atUs > untilUs) {
      this.#nowUs = Math.max(this.#nowUs, untilUs)
      return false
    }
    this.#removeFirst()
    this.#nowUs = next.atUs
    next.run()
    return true
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let childAt = 2 * at + 1
      let child = heap[childAt]
      if (child === undefined) break
      const right = heap[childAt + 1]
      if (right !== undefined && isBefore(right, child)) {
        childAt++
        child = right
      }
      if (isBefore(last, child)) break
      heap[at] = child
      at = childAt
    }
    heap[at] = last
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  return one.atUs < other.atUs || (one.atUs === other.atUs && one.sequence < other.sequence)
}
