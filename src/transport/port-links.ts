/**
 * Links between threads: for each peer a control port (votes, heartbeats, small answers) and a bulk port (entries,
 * snapshot chunks), so that a snapshot never delays a heartbeat. A MessagePort has no back-pressure of its own: each
 * side counts in shared memory what it sent and took, and sends no more than a bounded number of messages and of bytes
 * ahead. A message beyond the bounds is dropped, as a network may do, and the protocol repeats it. The same counts tell,
 * without a call into the port, that nothing waits there.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { byteLengthOf, entriesIn, isBulk, type Message, type NodeId } from '../raft/index.js'
import type { Links } from './links.js'
import { PortWindow } from './port-window.js'

/** Messages that may wait at a peer on one port. So many wait only at a peer that stands still. */
const waitingMessagesMax = 1024
/** Bytes of entries and chunks that may wait at a peer. One leader has less on its way [FC2], so more comes of several leaders. */
const waitingBytesMax = 16 << 20

/** The place of each count among the counts of one end of a port. */
const countAt = { sent: 0, taken: 1, takenBytes: 2 } as const
const countsAPort = 3
/** The counts of the control port, then those of the bulk port. */
const countsAnEnd = 2 * countsAPort

/** One end of a link, as it is handed to a node. All of it can be sent to the node's thread. */
export interface LinkEnd {
  readonly peerId: NodeId
  readonly control: MessagePort
  readonly bulk: MessagePort
  /**
   * The counts of end 0, then those of end 1. Each end counts messages sent, messages taken and bytes taken since the link
   * was made: on its control port, and then on its bulk port.
   */
  readonly counts: SharedArrayBuffer
  readonly end: 0 | 1
}

/** A new link between two nodes: the end for `first`, which leads to `second`, and the other one. */
export function createLink(first: NodeId, second: NodeId): [LinkEnd, LinkEnd] {
  const control = new MessageChannel()
  const bulk = new MessageChannel()
  const counts = new SharedArrayBuffer(2 * countsAnEnd * Int32Array.BYTES_PER_ELEMENT)
  return [
    { peerId: second, control: control.port1, bulk: bulk.port1, counts, end: 0 },
    { peerId: first, control: control.port2, bulk: bulk.port2, counts, end: 1 },
  ]
}

/** The ports that travel with a link's end. */
export function portsOf(link: LinkEnd): MessagePort[] {
  return [link.control, link.bulk]
}

/** One end of a port, with the counts that bound it. */
class BoundedPort {
  readonly port: MessagePort
  readonly #counts: Int32Array
  /** Where the counts of this end and of the other one begin. */
  readonly #own: number
  readonly #peer: number
  /** Bytes that wait at the peer, and those that wait here. */
  readonly #there: PortWindow
  readonly #here: PortWindow

  constructor(port: MessagePort, counts: Int32Array, own: number, peer: number) {
    this.port = port
    this.#counts = counts
    this.#own = own
    this.#peer = peer
    this.#there = new PortWindow(counts, peer + countAt.takenBytes, waitingBytesMax)
    this.#here = new PortWindow(counts, own + countAt.takenBytes, waitingBytesMax)
  }

  send(message: Message): void {
    const bytes = bytesOf(message)
    if (this.#ahead(this.#own, this.#peer) >= waitingMessagesMax || (bytes > 0 && this.#there.isFull)) return
    this.#there.sent(bytes)
    // The count rises before the message is in the port. So a receiver may look for it in vain, but never overlooks it.
    Atomics.add(this.#counts, this.#own + countAt.sent, 1)
    this.port.postMessage(message)
  }

  /** Takes the message that has waited longest. */
  take(): Message | undefined {
    if (this.#ahead(this.#peer, this.#own) === 0) return undefined
    const got = receiveMessageOnPort(this.port)
    if (got === undefined) return undefined
    const message = got.message as Message
    this.took(message)
    return message
  }

  /** Notes that the message was taken off the port. */
  took(message: Message): void {
    Atomics.add(this.#counts, this.#own + countAt.taken, 1)
    const bytes = bytesOf(message)
    if (bytes > 0) this.#here.took(bytes)
  }

  /** How many messages one end has sent and the other has not taken; the counts wrap around. */
  #ahead(sender: number, receiver: number): number {
    const sent = Atomics.load(this.#counts, sender + countAt.sent)
    return (sent - Atomics.load(this.#counts, receiver + countAt.taken)) | 0
  }
}

/** Bytes of entries or of a chunk. Other messages are small. */
function bytesOf(message: Message): number {
  if (message.type === 'installSnapshot') return message.data?.byteLength ?? 0
  if (message.type !== 'appendEntries') return 0
  let bytes = 0
  for (const run of entriesIn(message)) bytes += byteLengthOf(run)
  return bytes
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
    const counts = new Int32Array(link.counts)
    const own = link.end * countsAnEnd
    const peer = (1 - link.end) * countsAnEnd
    this.#open(this.#control, link.peerId, new BoundedPort(link.control, counts, own, peer))
    const bulk = new BoundedPort(link.bulk, counts, own + countsAPort, peer + countsAPort)
    this.#open(this.#bulk, link.peerId, bulk)
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

  /** Takes every waiting message, those of the control ports first. */
  drain(): void {
    for (const ports of [this.#control, this.#bulk]) {
      for (const bounded of ports.values()) {
        for (let message = bounded.take(); message !== undefined; message = bounded.take())
          this.#receive(message)
      }
    }
  }

  #open(ports: Map<NodeId, BoundedPort>, peerId: NodeId, bounded: BoundedPort): void {
    ports.set(peerId, bounded)
    bounded.port.on('message', (message: Message) => {
      bounded.took(message)
      // A replaced port may still deliver a message that was on its way, as a network may.
      this.#wake(message)
    })
  }
}
