/** A recording as a file: written in large pieces, so that a node hardly waits for it. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { textOf, version } from './line.js'

/** Characters that wait before they are written. */
const waitingMax = 256 << 10

export class RecordingFile {
  readonly #file: number
  #waiting: string

  /** Takes the place of a file of that name. */
  constructor(path: string) {
    this.#file = openSync(path, 'w')
    this.#waiting = `${textOf({ recording: 'raftbox', version })}\n`
  }

  /** Takes a line without its line break. */
  readonly write = (line: string): void => {
    this.#waiting += `${line}\n`
    if (this.#waiting.length > waitingMax) this.#flush()
  }

  close(): void {
    try {
      this.#flush()
    } finally {
      closeSync(this.#file)
    }
  }

  #flush(): void {
    let bytes = Buffer.from(this.#waiting)
    this.#waiting = ''
    while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#file, bytes))
  }
}
