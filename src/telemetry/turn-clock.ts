/** A clock that is read once for all that happens together: a turn carries many messages, and a look at the time costs. */
export class TurnClock {
  readonly #now: () => number
  #atMs: number | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  /** The time of what happens now. */
  readonly read = (): number => {
    this.#atMs ??= this.#now()
    return this.#atMs
  }

  /** What happens from now on happens later. */
  moveOn(): void {
    this.#atMs = undefined
  }
}
