/** Messages that a fault of their link holds back, in the order in which they arrive. */
import { type Endpoint, heldBytesMax, heldMessagesMax, type Passage } from '../faults/index.js'

interface Held {
  readonly passage: Passage
  /** By `performance.now`. */
  readonly atMs: number
  readonly arrive: () => void
}

export class HeldPackets {
  #held: Held[] = []
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** Calls `arrive` at that time; never, when too many of that sender wait, or when the node has ended. */
  hold(passage: Passage, atMs: number, arrive: () => void): void {
    if (this.#isClosed || this.#isFull(passage.packet.from)) return
    let place = this.#held.length
    while (place > 0 && (this.#held[place - 1]?.atMs ?? 0) > atMs) place--
    this.#held.splice(place, 0, { passage, atMs, arrive })
    if (place === 0) this.#waitForFirst()
  }

  /** Each packet arrives at another time. What is due arrives at once. Packets of one port are asked for in their order. */
  retime(arrivesAtMs: (passage: Passage) => number): void {
    if (this.#held.length === 0) return
    const held = this.#held.map((each) => ({ ...each, atMs: arrivesAtMs(each.passage) }))
    this.#held = held.sort((a, b) => a.atMs - b.atMs)
    this.#arriveDue()
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
      const { packet } = held.passage
      if (packet.from !== from) continue
      messages++
      bytes += packet.byteLength
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
