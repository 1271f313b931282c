/**
 * The pauses before an overloaded leader is asked again. Each is about twice as long as the one before it, up to a bound:
 * to ask without a pause would keep the leader from its work. A part is left to chance, so that many clients do not come
 * back at one moment.
 */
const firstPauseMs = 2
const pauseMsMax = 100

export class BackOff {
  readonly #over: () => void
  #timer: NodeJS.Timeout | undefined
  /** Pauses since the leader last took something. */
  #pauses = 0

  /** `over` is called at the end of each pause. */
  constructor(over: () => void) {
    this.#over = over
  }

  get isPausing(): boolean {
    return this.#timer !== undefined
  }

  /** The leader refused: all that it refuses meanwhile belongs to the same pause. */
  refused(): void {
    if (this.isPausing) return
    const pauseMs = Math.min(pauseMsMax, firstPauseMs * 2 ** this.#pauses++)
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#over()
      },
      pauseMs * (0.5 + Math.random() / 2),
    )
  }

  /** The leader took something: the next pause is a short one. */
  taken(): void {
    this.#pauses = 0
  }

  /** Ends a pause at once: another node is asked, or none. */
  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#pauses = 0
  }
}
