/** A recording as a file: written in large pieces, so that a node hardly waits for it. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { textOf, version } from './line.js'

/** Characters that wait before they are written. */
const waitingMax = 256 << 10
const head = `${textOf({ recording: 'raftbox', version })}\n`
/** A recording ends behind so many bytes, unless its maker says otherwise. */
const bytesMaxDefault = 2 ** 30

export interface RecordingLimits {
  readonly bytesMax?: number
  /**
   * Called once when the recording ends early: it is full, or cannot be written. Whoever is recorded goes on. Left out: a
   * recording that cannot be written throws.
   */
  readonly stopped?: (why: string) => void
}

export class RecordingFile {
  readonly #file: number
  readonly #bytesMax: number
  readonly #stopped: ((why: string) => void) | undefined
  #waiting = head
  /** Bytes that lie in the file. */
  #byteLength = 0
  #isOver = false

  /** Takes the place of a file of that name. */
  constructor(path: string, { bytesMax = bytesMaxDefault, stopped }: RecordingLimits = {}) {
    this.#file = openSync(path, 'w')
    this.#bytesMax = bytesMax
    this.#stopped = stopped
  }

  /** Takes a line without its line break. False: the recording is over, and takes no more. */
  readonly write = (line: string): boolean => {
    if (this.#isOver) return false
    this.#waiting += `${line}\n`
    if (this.#waiting.length > waitingMax) this.#flush()
    return !this.#isOver
  }

  close(): void {
    try {
      if (!this.#isOver) this.#flush()
    } finally {
      closeSync(this.#file)
    }
  }

  #flush(): void {
    const bytes = Buffer.from(this.#waiting)
    this.#waiting = ''
    if (this.#byteLength + bytes.length > this.#bytesMax)
      return this.#stop(`it may have ${this.#bytesMax} bytes`)
    try {
      this.#append(bytes)
    } catch (error) {
      if (this.#stopped === undefined) throw error
      this.#stop((error as Error).message)
    }
  }

  #append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; )
      at += writeSync(this.#file, bytes, at, bytes.length - at, this.#byteLength + at)
    this.#byteLength += bytes.length
  }

  /** The last line says why nothing follows. The head stands before that line, also where nothing else was written. */
  #stop(why: string): void {
    this.#isOver = true
    try {
      // A part of a piece may have been written. Without it there is room for this line also on a full disk.
      ftruncateSync(this.#file, this.#byteLength)
      this.#append(Buffer.from(`${this.#byteLength === 0 ? head : ''}${textOf({ stops: why })}\n`))
    } catch {
      // Whoever made the recording is told all the same.
    }
    this.#stopped?.(why)
  }
}
