/** A line on standard error that tells how far a command is. Standard output is kept for results. */
export class Progress {
  readonly #isShown: boolean
  #isOnLine = false

  /** Without `isForced`, it is shown to people only. */
  constructor(isForced = false) {
    this.#isShown = isForced || process.stderr.isTTY === true
  }

  show(text: string): void {
    if (!this.#isShown) return
    if (process.stderr.isTTY) {
      this.#isOnLine = true
      process.stderr.write(`\r\x1b[2K${text}`)
    } else {
      process.stderr.write(`${text}\n`)
    }
  }

  /** Takes the line away; before anything else is printed. */
  clear(): void {
    if (!this.#isOnLine) return
    this.#isOnLine = false
    process.stderr.write('\r\x1b[2K')
  }
}
