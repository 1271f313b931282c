/**
 * Messages between the client's thread and a node: at most one a turn in each direction. No more than a bounded number
 * of bytes lies unread in either direction, however long one side stands still.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { Frame } from '../raft/index.js'
import type { ClientRequest, Settlements } from './links.js'
import { PortWindow } from './port-window.js'

/** Bytes of requests that may lie unread at a node before a client sends it no more, and of answers the other way. */
export const unreadBytesMax = 32 << 20
/** Bytes that a message, and each request or settlement in it, takes in a port beside its buffers. */
const headerBytes = 256

/** From the client: what it has for the node in one turn. */
export interface ToNode {
  readonly requests: readonly ClientRequest[]
  /** Buffers of answers that the client has read: the node writes further answers into them. */
  readonly read: readonly ArrayBuffer[]
  /** Bytes for which the message counts while it is unread. */
  readonly weight: number
}

/** From the node: the settlements of one turn, or news of the node itself. */
export type FromNode = ({ readonly type: 'settlements'; readonly weight: number } & Settlements) | NewsOfNode

/** News that a node tells of itself. */
export type NewsOfNode =
  /** Something happened. The node's ring of happenings, in shared memory, tells what. */
  | { readonly type: 'happened' }
  /** The node is paused: it takes no turn until the gate of its turns opens. */
  | { readonly type: 'frozen' }
  /** The node stopped by itself. No message of it follows. */
  | { readonly type: 'failed'; readonly why: string }

/**
 * The place of each count in the memory that both ends share: bytes that each end has taken, and `nodeWaits`, which is 1
 * while the node holds answers back.
 */
const countAt = { takenByNode: 0, takenByClient: 1, nodeWaits: 2 } as const

/** One end of the way between the client's thread and a node. All of it can be sent to the node's thread. */
export interface ClientWayEnd {
  readonly port: MessagePort
  readonly counts: SharedArrayBuffer
}

/** A new way: the end of the client's thread, and the node's. */
export function createClientWay(): [ClientWayEnd, ClientWayEnd] {
  const { port1, port2 } = new MessageChannel()
  const counts = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)
  return [
    { port: port1, counts },
    { port: port2, counts },
  ]
}

/** A node's end of the way to its clients. */
export class ClientPort {
  readonly #port: MessagePort
  readonly #counts: Int32Array
  readonly #requests: PortWindow
  readonly #answers: PortWindow
  readonly #wake: (first: ToNode) => void
  readonly #receive: (message: ToNode) => void

  /** `wake` is called with the first message that arrives while nobody drains, `receive` with what is drained. */
  constructor(end: ClientWayEnd, wake: (first: ToNode) => void, receive: (message: ToNode) => void) {
    this.#port = end.port
    this.#counts = new Int32Array(end.counts)
    this.#requests = requestsOf(this.#counts)
    this.#answers = answersOf(this.#counts)
    this.#wake = wake
    this.#receive = receive
  }

  /**
   * Whether so much lies unread at the clients that nothing more is to be answered. If so, the node waits: a note says so to
   * the clients, which then wake the node once they have read.
   */
  waitsIfFull(): boolean {
    if (!this.#answers.isFull) return false
    Atomics.store(this.#counts, countAt.nodeWaits, 1)
    // Clients that read everything before the note was there wake nobody, so this end looks once more.
    return this.#answers.isFull
  }

  /** Requests arrive from now on. */
  listen(): void {
    this.#port.on('message', (first: ToNode) => {
      this.#requests.took(first.weight)
      this.#wake(first)
    })
  }

  drain(): void {
    for (let got = receiveMessageOnPort(this.#port); got; got = receiveMessageOnPort(this.#port)) {
      const message = got.message as ToNode
      this.#requests.took(message.weight)
      this.#receive(message)
    }
  }

  settle(settlements: Settlements): void {
    this.#answers.sent(postSettlements(this.#port, settlements))
  }
}

/** The client's end of the way to a node. */
export class NodePort {
  readonly #port: MessagePort
  readonly #counts: Int32Array
  readonly #requests: PortWindow
  readonly #answers: PortWindow
  readonly #receive: (message: FromNode) => void

  constructor(end: ClientWayEnd, receive: (message: FromNode) => void) {
    this.#port = end.port
    this.#counts = new Int32Array(end.counts)
    this.#requests = requestsOf(this.#counts)
    this.#answers = answersOf(this.#counts)
    this.#receive = (message) => {
      if (message.type === 'settlements') this.#took(message.weight)
      receive(message)
    }
  }

  /** Whether so much lies unread at the node that nothing more is to be sent to it. */
  get isFull(): boolean {
    return this.#requests.isFull
  }

  /** All that the node says is received from now on. */
  listen(): void {
    this.#port.on('message', this.#receive)
  }

  /** Receives the message that has waited longest. False when there is none. */
  receiveNext(): boolean {
    const got = receiveMessageOnPort(this.#port)
    if (got !== undefined) this.#receive(got.message)
    return got !== undefined
  }

  send(requests: readonly ClientRequest[], read: readonly ArrayBuffer[]): void {
    this.#requests.sent(postRequests(this.#port, requests, read))
  }

  close(): void {
    this.#port.close()
  }

  #took(weight: number): void {
    this.#answers.took(weight)
    const doesNodeWait = Atomics.load(this.#counts, countAt.nodeWaits) === 1
    if (doesNodeWait && Atomics.exchange(this.#counts, countAt.nodeWaits, 0) === 1) this.send([], [])
  }
}

function requestsOf(counts: Int32Array): PortWindow {
  return new PortWindow(counts, countAt.takenByNode, unreadBytesMax)
}

function answersOf(counts: Int32Array): PortWindow {
  return new PortWindow(counts, countAt.takenByClient, unreadBytesMax)
}

/** Returns the weight of the message. */
function postRequests(
  port: MessagePort,
  requests: readonly ClientRequest[],
  read: readonly ArrayBuffer[],
): number {
  // A proposal's buffer is handed over. A query's buffer stays here, since a read may be asked again of another node.
  const handedOver = [...read]
  let weight = headerBytes
  for (const { byteLength } of read) weight += byteLength
  for (const { type, frame } of requests) {
    const buffer = bufferOf(frame)
    weight += headerBytes + buffer.byteLength
    if (type === 'propose') handedOver.push(buffer)
  }
  port.postMessage({ requests, read, weight } satisfies ToNode, handedOver)
  return weight
}

/** Returns the weight of the message. */
function postSettlements(port: MessagePort, { settled, results }: Settlements): number {
  const handedOver = [results.buffer as ArrayBuffer]
  for (const settlement of settled) {
    if (settlement.outcome === 'read') handedOver.push(settlement.results.buffer as ArrayBuffer)
  }
  let weight = headerBytes * (1 + settled.length)
  for (const { byteLength } of handedOver) weight += byteLength
  port.postMessage({ type: 'settlements', settled, results, weight } satisfies FromNode, handedOver)
  return weight
}

function bufferOf(frame: Frame): ArrayBuffer {
  return frame.bytes.buffer as ArrayBuffer
}
