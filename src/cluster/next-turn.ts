/** A turn of the client's work, after all callers of the present turn of the event loop have had their say. */
export class NextTurn {
  readonly #take: () => void
  #isScheduled = false

  constructor(take: () => void) {
    this.#take = take
  }

  schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#take()
    })
  }
}
