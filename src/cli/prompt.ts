/**
 * Lines from a person or a pipe, one command after the other. What is printed meanwhile goes above the
 * prompt, and what was typed so far stays.
 */
import { createInterface, type Interface } from 'node:readline'

export class Prompt {
  readonly #editor: Interface
  /** Made at once: lines that come while nobody waits for them are kept, and would otherwise be lost. */
  readonly #lines: AsyncIterator<string>
  readonly #isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
  /** The prompt stands there and waits. */
  #isWaiting = false

  constructor(text: string, signal: AbortSignal) {
    const { stdin: input, stdout } = process
    this.#editor = createInterface(
      this.#isTerminal ? { input, output: stdout, prompt: text, terminal: true } : { input, terminal: false },
    )
    this.#lines = this.#editor[Symbol.asyncIterator]()
    // In a terminal, the line editor gets Ctrl-C instead of the process.
    this.#editor.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    signal.addEventListener('abort', () => this.close(), { once: true })
  }

  get isTerminal(): boolean {
    return this.#isTerminal
  }

  /** Calls `run` for each line until it says `false` or the input ends. */
  async forEachLine(run: (line: string) => Promise<boolean>): Promise<void> {
    for (;;) {
      this.#show()
      const next = await this.#lines.next()
      this.#isWaiting = false
      if (next.done || !(await run(next.value))) break
    }
    this.close()
  }

  print(text: string): void {
    if (this.#isWaiting) process.stdout.write('\r\x1b[2K')
    process.stdout.write(`${text}\n`)
    if (this.#isWaiting) this.#editor.prompt(true)
  }

  close(): void {
    if (this.#isWaiting) process.stdout.write('\n')
    this.#isWaiting = false
    this.#editor.close()
    // A terminal or a pipe that is still open would keep the process.
    process.stdin.unref?.()
  }

  #show(): void {
    if (!this.#isTerminal) return
    this.#isWaiting = true
    this.#editor.prompt()
  }
}
