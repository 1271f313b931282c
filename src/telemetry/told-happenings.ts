/** Happenings in words, one after the other, for readers who keep none of them. */
import type { Happened } from './happenings.js'
import { describeHappened } from './words.js'

/** Happenings that are kept, in case they are repeated: the newest. */
const keptMax = 256

export class ToldHappenings {
  readonly #tickMs: number
  readonly #kept = new Map<number, Happened>()

  constructor(tickMs: number) {
    this.#tickMs = tickMs
  }

  /** Other happenings may stand between one and its repetition, so the repetition says what was repeated. */
  wordsOf(event: Happened): string {
    this.#kept.set(event.sequence, event)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > keptMax && oldest !== undefined) this.#kept.delete(oldest)
    return describeHappened(event, this.#tickMs, this.#kept.get(event.cause ?? 0))
  }
}
