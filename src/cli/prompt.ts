/**
 * Lines from a person or a pipe, one command after the other. What is printed meanwhile goes above the
 * prompt, and what was typed so far stays.
 */
import { createInterface, type Interface } from 'node:readline'
import { addAbortSignal } from 'node:stream'
import { BadInput, lineBytesMax, typedLine } from '../terminal/index.js'
import { LineFramer } from './input/framing.js'

/** Lines of a person that are remembered. */
export const historyMax = 200

/** The help that the editor of a person's lines gives. */
export interface Editing {
  /** The words that Tab offers at the end of a line, and what was typed of them so far. */
  completer(line: string): [offers: string[], typed: string]
  /** Lines of earlier sessions, the newest first. */
  readonly history: readonly string[]
  /** Is told all lines so far, the newest first, whenever there is a new one. */
  remember(history: string[]): void
}

/** Gives the text of a line, or throws BadInput. */
export type Line = () => string

/** Where lines come from and where answers go. */
export type Terminal = Pick<NodeJS.Process, 'stdin' | 'stdout'>

export class Prompt {
  readonly #terminal: Terminal
  readonly #isTerminal: boolean
  /** Where a person edits the line. A script has none. */
  readonly #editor: Interface | undefined
  readonly #lines: AsyncIterator<Line>
  /** The prompt stands there and waits. */
  #isWaiting = false

  constructor(
    text: string,
    signal: AbortSignal,
    { completer, history, remember }: Editing,
    terminal: Terminal = process,
  ) {
    const { stdin: input, stdout: output } = terminal
    this.#terminal = terminal
    this.#isTerminal = input.isTTY === true && output.isTTY === true
    if (this.#isTerminal) {
      this.#editor = createInterface({
        ...{ input, output, prompt: text, terminal: true },
        ...{ completer, history: [...history], historySize: historyMax, removeHistoryDuplicates: true },
      })
      this.#editor.on('history', remember)
      // In a terminal, the line editor gets Ctrl-C instead of the process.
      this.#editor.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
      this.#lines = typedLines(this.#editor)
    } else {
      this.#lines = scriptLines(addAbortSignal(signal, input))
    }
    signal.addEventListener('abort', () => this.close(), { once: true })
  }

  get isTerminal(): boolean {
    return this.#isTerminal
  }

  /** Calls `run` for each line until it says `false` or the input ends. */
  async forEachLine(run: (line: Line) => Promise<boolean>): Promise<void> {
    for (;;) {
      this.#show()
      const next = await this.#lines.next()
      this.#isWaiting = false
      if (next.done || !(await run(next.value))) break
    }
    this.close()
  }

  print(text: string): void {
    if (this.#isWaiting) this.#terminal.stdout.write('\r\x1b[2K')
    this.#terminal.stdout.write(`${text}\n`)
    if (this.#isWaiting) this.#editor?.prompt(true)
  }

  close(): void {
    if (this.#isWaiting) this.#terminal.stdout.write('\n')
    this.#isWaiting = false
    this.#editor?.close()
    // A terminal or a pipe that is still open would keep the process.
    this.#terminal.stdin.unref?.()
  }

  #show(): void {
    if (this.#editor === undefined) return
    this.#isWaiting = true
    this.#editor.prompt()
  }
}

/** The editor's own iterator is made at once: it keeps lines that come while nobody waits for them. */
function typedLines(editor: Interface): AsyncIterator<Line> {
  const lines = editor[Symbol.asyncIterator]()
  const next = async (): Promise<IteratorResult<Line, undefined>> => {
    const { done, value } = await lines.next()
    return done ? { done, value: undefined } : { done: false, value: () => typedText(value) }
  }
  return { next }
}

/** The editor puts U+FFFD for what is not UTF-8. */
function typedText(line: string): string {
  if (!line.includes('\ufffd')) return line
  throw new BadInput(
    'the line holds U+FFFD, which stands for bytes that are not UTF-8; set the terminal to UTF-8',
  )
}

export async function* scriptLines(input: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  const framer = new LineFramer(lineBytesMax, (line, why) => new BadInput(`line ${line}: ${why}`))
  try {
    for await (const chunk of input)
      for (const { line, bytes } of framer.take(chunk)) yield () => typedLine(bytes, line)
  } catch (error) {
    if (error instanceof BadInput) throw error
    throw new BadInput(`standard input cannot be read: ${(error as Error).message}`)
  }
  for (const { line, bytes } of framer.end()) yield () => typedLine(bytes, line)
}
