/** A turn of the client's work, after all callers of the present turn of the event loop have had their say. */
export class NextTurn {
  readonly #take: () => void
  #isScheduled = false
  readonly #run = (): void => {
    this.#isScheduled = false
    this.#take()
  }

  constructor(take: () => void) {
    this.#take = take
  }

  get isScheduled(): boolean {
    return this.#isScheduled
  }

  schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#run)
  }

  /** After the callers of the present callback only: the event loop turns no further before that. */
  scheduleSoon(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    process.nextTick(this.#run)
  }
}
