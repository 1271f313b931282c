/** Text that a person reads along with, until the next line is typed. */
import { setTimeout as delay } from 'node:timers/promises'
import { lineOf } from '../terminal/index.js'

/** As often as a person can read. */
const everyMs = 200

export class Following {
  readonly #print: (text: string) => void
  #ending = new AbortController()

  constructor(print: (text: string) => void) {
    this.#print = print
  }

  /** Prints what `look` finds, now and again. An error ends it, and is printed. */
  begin(look: () => Promise<string>): void {
    this.end()
    this.#ending = new AbortController()
    void this.#follow(look, this.#ending.signal)
  }

  end(): void {
    this.#ending.abort()
  }

  async #follow(look: () => Promise<string>, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        const text = await look()
        if (!signal.aborted && text !== '') this.#print(text)
        await delay(everyMs, undefined, { signal })
      }
    } catch (error) {
      if (!signal.aborted) this.#print(lineOf(error))
    }
  }
}
