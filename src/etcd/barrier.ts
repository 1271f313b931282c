/** Reads of nothing by way of one node, which many calls share: a node without a way to its leader answers none. */
export class Barrier {
  readonly #read: () => Promise<unknown>
  readonly #heardMs: number
  /** When the last read began that was answered. */
  #heardAtMs = Number.NEGATIVE_INFINITY
  #present: Promise<unknown> | undefined
  /** Begins when the present one has ended. */
  #next: Promise<unknown> | undefined

  /** For `heardMs` after a read has begun that is answered, the node counts as one that hears its leader. */
  constructor(read: () => Promise<unknown>, heardMs: number) {
    this.#read = read
    this.#heardMs = heardMs
  }

  /** `undefined`: the node has heard its leader a moment ago. Resolves once it has. */
  heard(): Promise<unknown> | undefined {
    const ageMs = performance.now() - this.#heardAtMs
    const begun = ageMs > this.#heardMs / 2 && this.#present === undefined ? this.#begin() : undefined
    begun?.catch(() => undefined)
    if (ageMs <= this.#heardMs) return undefined
    // A read that began before the call fails before the time of the call is over.
    return begun ?? this.#present?.catch(() => this.caughtUp())
  }

  /** A fault has begun or ended: what was heard before says nothing. */
  forget(): void {
    this.#heardAtMs = Number.NEGATIVE_INFINITY
    this.#present = undefined
  }

  /** Resolves once the node has applied all that is committed by now: the read begins from now on. */
  caughtUp(): Promise<unknown> {
    if (this.#present === undefined) return this.#begin()
    const begin = (): Promise<unknown> => this.#begin()
    this.#next ??= this.#present.then(begin, begin)
    return this.#next
  }

  #begin(): Promise<unknown> {
    const beganAtMs = performance.now()
    const read = this.#read()
    this.#present = read
    this.#next = undefined
    const ended = (): void => {
      if (this.#present === read) this.#present = undefined
    }
    read.then(() => {
      if (this.#present === read) this.#heardAtMs = beganAtMs
      ended()
    }, ended)
    return read
  }
}
