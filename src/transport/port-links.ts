/**
 * Links between threads: for each peer a control port (votes, heartbeats, small answers) and a bulk port
 * (entries, snapshot chunks), so that a snapshot never delays a heartbeat. A MessagePort has no
 * back-pressure of its own: each side counts in shared memory what it took, and the other sends no more
 * than a bounded number ahead. What does not fit is dropped, as a network may; the protocol repeats it.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { isBulk, type Message, type NodeId } from '../raft/index.js'
import type { Links } from './links.js'

/** Messages that may wait at a peer on one port: ample for a peer that runs, a bound for one that hangs. */
const waitingMessagesMax = 1024

/** One end of a link, as it is handed to a node. All of it can be sent to the node's thread. */
export interface LinkEnd {
  readonly peerId: NodeId
  readonly control: MessagePort
  readonly bulk: MessagePort
  /** Messages taken off the ports, ever: [control by end 0, bulk by end 0, control by end 1, bulk by end 1]. */
  readonly taken: SharedArrayBuffer
  readonly end: 0 | 1
}

/** A new link between two nodes: the end for `first`, which leads to `second`, and the other one. */
export function createLink(first: NodeId, second: NodeId): [LinkEnd, LinkEnd] {
  const control = new MessageChannel()
  const bulk = new MessageChannel()
  const taken = new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT)
  return [
    { peerId: second, control: control.port1, bulk: bulk.port1, taken, end: 0 },
    { peerId: first, control: control.port2, bulk: bulk.port2, taken, end: 1 },
  ]
}

/** The ports that travel with a link's end. */
export function portsOf(link: LinkEnd): MessagePort[] {
  return [link.control, link.bulk]
}

/** One direction of one port, with the count that bounds it. */
class BoundedPort {
  readonly port: MessagePort
  readonly #taken: Int32Array
  readonly #ownCount: number
  readonly #peerCount: number
  #sent = 0

  constructor(port: MessagePort, taken: Int32Array, ownCount: number, peerCount: number) {
    this.port = port
    this.#taken = taken
    this.#ownCount = ownCount
    this.#peerCount = peerCount
  }

  send(message: Message): void {
    const waiting = (this.#sent - Atomics.load(this.#taken, this.#peerCount)) | 0
    if (waiting >= waitingMessagesMax) return
    this.#sent = (this.#sent + 1) | 0
    this.port.postMessage(message)
  }

  /** Notes that a message was taken off the port. */
  took(): void {
    Atomics.add(this.#taken, this.#ownCount, 1)
  }
}

export class PortLinks implements Links {
  readonly #wake: (first: Message) => void
  readonly #receive: (message: Message) => void
  readonly #control = new Map<NodeId, BoundedPort>()
  readonly #bulk = new Map<NodeId, BoundedPort>()

  /** `wake` is called with the first message that arrives while nobody drains, `receive` with what is drained. */
  constructor(wake: (first: Message) => void, receive: (message: Message) => void) {
    this.#wake = wake
    this.#receive = receive
  }

  /** Begins to use a link; an earlier one to the same peer is closed. */
  connect(link: LinkEnd): void {
    this.disconnect(link.peerId)
    const taken = new Int32Array(link.taken)
    const own = link.end * 2
    const peer = (1 - link.end) * 2
    this.#open(this.#control, link.peerId, new BoundedPort(link.control, taken, own, peer))
    this.#open(this.#bulk, link.peerId, new BoundedPort(link.bulk, taken, own + 1, peer + 1))
  }

  disconnect(peerId: NodeId): void {
    for (const ports of [this.#control, this.#bulk]) {
      ports.get(peerId)?.port.close()
      ports.delete(peerId)
    }
  }

  close(): void {
    for (const peerId of [...this.#control.keys()]) this.disconnect(peerId)
  }

  send(message: Message): void {
    const ports = isBulk(message) ? this.#bulk : this.#control
    ports.get(message.to)?.send(message)
  }

  /** Takes every message that waits, of all control ports first. */
  drain(): void {
    for (const ports of [this.#control, this.#bulk]) {
      for (const bounded of ports.values()) {
        for (let got = receiveMessageOnPort(bounded.port); got; got = receiveMessageOnPort(bounded.port)) {
          bounded.took()
          this.#receive(got.message as Message)
        }
      }
    }
  }

  #open(ports: Map<NodeId, BoundedPort>, peerId: NodeId, bounded: BoundedPort): void {
    ports.set(peerId, bounded)
    bounded.port.on('message', (message: Message) => {
      bounded.took()
      // A port that was replaced may still deliver what was on its way: a network may, too.
      this.#wake(message)
    })
  }
}
