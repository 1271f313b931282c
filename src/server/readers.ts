/**
 * Streams of server-sent events that readers hold open. A reader that does not read costs the bytes that wait for it,
 * which are bounded, and its place, which it loses after a while.
 */
import type { ServerResponse } from 'node:http'
import { HttpRefusal } from './refusals.js'

const readersMax = 64
/** Bytes that wait for a reader. A reader for which more wait is behind, and is sent nothing until it has read. */
const waitingBytesMax = 1 << 20
const aliveEveryMs = 15_000
/** A reader that was behind so many times in a row, when it was to be told that the stream is alive, loses its place. */
const behindMax = 4

export interface Sent {
  readonly id?: number
  readonly event?: string
  /** Text without a line break. */
  readonly data: string
}

/** How much readers were not sent since they were behind. */
export interface LeftOut {
  frames: number
  events: number
}

export class Reader {
  readonly #outgoing: ServerResponse
  readonly #leftOut: LeftOut
  #behind = 0

  constructor(outgoing: ServerResponse, leftOut: LeftOut) {
    this.#outgoing = outgoing
    this.#leftOut = leftOut
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
    outgoing.flushHeaders()
  }

  get isBehind(): boolean {
    return this.#outgoing.writableLength > waitingBytesMax
  }

  /** A reader that has left is sent nothing, and nothing follows the end. */
  send({ id, event, data }: Sent): void {
    if (this.#isOver) return
    const head = `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}`
    this.#outgoing.write(`${head}data: ${data}\n\n`)
  }

  /** Counts what is not sent to this reader, which was behind. */
  leavesOut(what: keyof LeftOut, count: number): void {
    this.#leftOut[what] += count
  }

  /** Calls back whenever the reader has read all. */
  onDrain(pump: () => void): void {
    this.#outgoing.on('drain', pump)
  }

  /** A reader that left before its stream began is closed at once. */
  onClose(closed: () => void): void {
    if (this.#outgoing.destroyed) closed()
    else this.#outgoing.on('close', closed)
  }

  tellAlive(): void {
    this.#behind = this.isBehind ? this.#behind + 1 : 0
    if (this.#behind === 0 && !this.#isOver) this.#outgoing.write(':\n\n')
    // A reader that comes back goes on where it was.
    if (this.#behind === behindMax) this.#outgoing.destroy()
  }

  get #isOver(): boolean {
    return this.#outgoing.destroyed || this.#outgoing.writableEnded
  }

  /** The stream has told all. */
  end(): void {
    this.#outgoing.end()
  }
}

export class Readers {
  /** Over all readers, those included that have left. */
  readonly leftOut: LeftOut = { frames: 0, events: 0 }
  readonly #readers = new Set<Reader>()
  readonly #timer = setInterval(() => {
    for (const reader of this.#readers) reader.tellAlive()
  }, aliveEveryMs).unref()

  /** Throws an `HttpRefusal` when there are too many readers. */
  add(outgoing: ServerResponse): Reader {
    if (this.#readers.size >= readersMax)
      throw new HttpRefusal('TOO_MANY_READERS', `${readersMax} streams are read already: end one of them`)
    const reader = new Reader(outgoing, this.leftOut)
    this.#readers.add(reader)
    reader.onClose(() => this.#readers.delete(reader))
    return reader
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
