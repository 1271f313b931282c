/** Messages that a fault of their link holds back, in the order in which they arrive. */
import { type Endpoint, heldMessagesMax } from '../faults/index.js'

interface Held {
  readonly from: Endpoint
  readonly atMs: number
  readonly arrive: () => void
}

export class HeldPackets {
  #held: Held[] = []
  #timer: NodeJS.Timeout | undefined

  /** Calls `arrive` after so many milliseconds; never, when too many of that sender wait. */
  hold(from: Endpoint, forMs: number, arrive: () => void): void {
    if (this.#held.filter((held) => held.from === from).length >= heldMessagesMax) return
    const atMs = performance.now() + forMs
    let place = this.#held.length
    while (place > 0 && (this.#held[place - 1]?.atMs ?? 0) > atMs) place--
    this.#held.splice(place, 0, { from, atMs, arrive })
    if (place === 0) this.#waitForFirst()
  }

  /** Lets all arrive at once that these senders sent. */
  release(isFree: (from: Endpoint) => boolean): void {
    const released = this.#held.filter(({ from }) => isFree(from))
    this.#held = this.#held.filter(({ from }) => !isFree(from))
    this.#waitForFirst()
    for (const { arrive } of released) arrive()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#held = []
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
