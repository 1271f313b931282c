/** What waits at a simulated node's ports until its next turn, bounded as on real ports (`port-links.ts`). */
import { isBulk, type Message } from '../raft/index.js'
import type { ClientRequest } from '../transport/index.js'

/** Messages that may wait at a peer on one port. */
const waitingMessagesMax = 1024

/** All that waited, in the order in which a turn takes it: votes and heartbeats first. */
interface Waiting {
  readonly messages: readonly Message[]
  readonly requests: readonly ClientRequest[]
}

export class Inbox {
  #control: Message[] = []
  #bulk: Message[] = []
  #requests: ClientRequest[] = []
  readonly #waitingOf = new Map<number, number>()

  get messageCount(): number {
    return this.#control.length + this.#bulk.length
  }

  get isEmpty(): boolean {
    return this.messageCount + this.#requests.length === 0
  }

  /** False when the port is full: its sender would not have sent it. */
  deliver(message: Message): boolean {
    const port = 2 * message.from + (isBulk(message) ? 1 : 0)
    const waiting = this.#waitingOf.get(port) ?? 0
    if (waiting >= waitingMessagesMax) return false
    this.#waitingOf.set(port, waiting + 1)
    if (isBulk(message)) this.#bulk.push(message)
    else this.#control.push(message)
    return true
  }

  ask(request: ClientRequest): void {
    this.#requests.push(request)
  }

  takeAll(): Waiting {
    const messages = [...this.#control, ...this.#bulk]
    const requests = this.#requests
    this.#control = []
    this.#bulk = []
    this.#requests = []
    this.#waitingOf.clear()
    return { messages, requests }
  }
}
