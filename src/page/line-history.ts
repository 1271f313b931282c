/** The lines that were typed, to go back to with the arrows, as at a shell. */

const linesMax = 200

export class Typed {
  readonly #lines: string[] = []
  /** The place that is shown; the end: a line that is not yet given. */
  #at = 0
  #draft = ''

  add(line: string): void {
    if (line !== this.#lines.at(-1)) this.#lines.push(line)
    if (this.#lines.length > linesMax) this.#lines.shift()
    this.#at = this.#lines.length
    this.#draft = ''
  }

  /** The line before the one that is shown. `draft`: what stands in the bar. */
  before(draft: string): string {
    if (this.#at === this.#lines.length) this.#draft = draft
    this.#at = Math.max(0, this.#at - 1)
    return this.#lines[this.#at] ?? this.#draft
  }

  after(): string {
    this.#at = Math.min(this.#lines.length, this.#at + 1)
    return this.#lines[this.#at] ?? this.#draft
  }
}
