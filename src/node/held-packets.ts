/** Messages that a fault of their link holds back, in the order in which they arrive. */
import { type Endpoint, heldBytesMax, heldMessagesMax, type Packet } from '../faults/index.js'

interface Held {
  readonly from: Endpoint
  readonly byteLength: number
  readonly atMs: number
  readonly arrive: () => void
}

export class HeldPackets {
  #held: Held[] = []
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** Calls `arrive` after so many milliseconds; never, when too many of that sender wait, or when the node has ended. */
  hold({ from, byteLength }: Packet, forMs: number, arrive: () => void): void {
    if (this.#isClosed || this.#isFull(from)) return
    const atMs = performance.now() + forMs
    let place = this.#held.length
    while (place > 0 && (this.#held[place - 1]?.atMs ?? 0) > atMs) place--
    this.#held.splice(place, 0, { from, byteLength, atMs, arrive })
    if (place === 0) this.#waitForFirst()
  }

  /** Lets all arrive at once that these senders sent. */
  release(isFree: (from: Endpoint) => boolean): void {
    const released = this.#held.filter(({ from }) => isFree(from))
    this.#held = this.#held.filter(({ from }) => !isFree(from))
    this.#waitForFirst()
    for (const { arrive } of released) arrive()
  }

  /** Nothing arrives any more. A port that is closed while it delivers may still hand over messages: they are lost. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#held = []
  }

  #isFull(from: Endpoint): boolean {
    let messages = 0
    let bytes = 0
    for (const held of this.#held) {
      if (held.from !== from) continue
      messages++
      bytes += held.byteLength
    }
    return messages >= heldMessagesMax || bytes >= heldBytesMax
  }

  #waitForFirst(): void {
    clearTimeout(this.#timer)
    const first = this.#held[0]
    if (first !== undefined) {
      this.#timer = setTimeout(() => this.#arriveDue(), Math.max(0, first.atMs - performance.now()))
    }
  }

  #arriveDue(): void {
    const nowMs = performance.now()
    const isDue = ({ atMs }: Held) => atMs <= nowMs
    const due = this.#held.filter(isDue)
    this.#held = this.#held.slice(due.length)
    this.#waitForFirst()
    for (const { arrive } of due) arrive()
  }
}
