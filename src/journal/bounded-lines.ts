/** Lines for a reader that may be slow or gone: nobody waits for it, and what is dropped is counted. */
import type { Writable } from 'node:stream'

/** Bytes that wait for the reader. A line for which there is no room is dropped. */
const waitingBytesMax = 4 << 20
/** The longest wait for the reader at the end. */
const endMsMax = 2000

export interface Tellers {
  /** Writes a line on lines that were dropped. There is room for it. */
  dropped(count: number): void
  /** Called once when the stream takes no more: with its error, or without one when it does not end in time. */
  failed(error: Error | undefined): void
}

export class BoundedLines {
  readonly #stream: Writable
  readonly #tell: Tellers
  /** Lines that the stream has taken, and that have not left yet. */
  #waiting = 0
  #dropped = 0
  #untold = 0
  #hasFailed = false
  readonly #failure: Promise<void>
  #fail: () => void = () => undefined

  constructor(stream: Writable, tell: Tellers) {
    this.#stream = stream
    this.#tell = tell
    this.#failure = new Promise((resolve) => {
      this.#fail = resolve
    })
    stream.on('error', (error) => this.#fails(error))
    stream.on('drain', () => this.#tellDropped())
  }

  /** Lines for which there was no room, and those that the stream took and lost. */
  get dropped(): number {
    return this.#dropped
  }

  write(line: string): void {
    const hasRoom = this.#stream.writableLength + Buffer.byteLength(line) <= waitingBytesMax
    if (!hasRoom || this.#hasFailed) {
      this.#dropped++
      this.#untold++
      return
    }
    this.#waiting++
    this.#stream.write(line, (error) => {
      if (error) this.#fails(error)
      else this.#waiting--
    })
  }

  /** Resolves once all lines have left, or it is clear that they will not. */
  async end(): Promise<void> {
    const late = setTimeout(() => this.#fails(undefined), endMsMax)
    await this.#emptied()
    this.#tellDropped()
    await this.#emptied()
    clearTimeout(late)
  }

  async #emptied(): Promise<void> {
    if (this.#hasFailed) return
    const emptied = new Promise<void>((resolve) => this.#stream.write('', () => resolve()))
    await Promise.race([emptied, this.#failure])
  }

  #tellDropped(): void {
    const untold = this.#untold
    if (untold === 0 || this.#hasFailed) return
    this.#untold = 0
    this.#tell.dropped(untold)
  }

  #fails(error: Error | undefined): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#dropped += this.#waiting
    this.#tell.failed(error)
    this.#fail()
  }
}
