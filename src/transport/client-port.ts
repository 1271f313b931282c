/** Messages between the client's thread and a node: at most one a turn in each direction. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { Frame } from '../raft/index.js'
import type { ClientRequest, Settlements } from './links.js'

/** From the client: the requests of one turn, and buffers of answers that the client has read. */
export interface ToNode {
  readonly requests: readonly ClientRequest[]
  readonly read: readonly ArrayBuffer[]
}

/** From the node: settled requests, a call to read its ring, and as the last message the reason why the node failed. */
export type FromNode =
  | ({ readonly type: 'settlements' } & Settlements)
  /** Something happened: the node's ring of happenings tells what. */
  | { readonly type: 'happened' }
  /** The gate of its turns is closed: nothing of it runs from here on until the gate opens. */
  | { readonly type: 'frozen' }
  | { readonly type: 'failed'; readonly why: string }

/** A node's end of the way to its clients. */
export class ClientPort {
  readonly #port: MessagePort
  readonly #wake: (first: ToNode) => void
  readonly #receive: (message: ToNode) => void

  /** `wake` is called with the first message that arrives while nobody drains, `receive` with what is drained. */
  constructor(port: MessagePort, wake: (first: ToNode) => void, receive: (message: ToNode) => void) {
    this.#port = port
    this.#wake = wake
    this.#receive = receive
  }

  /** Requests arrive from now on. */
  listen(): void {
    this.#port.on('message', this.#wake)
  }

  drain(): void {
    for (let got = receiveMessageOnPort(this.#port); got; got = receiveMessageOnPort(this.#port)) {
      this.#receive(got.message as ToNode)
    }
  }

  settle(settlements: Settlements): void {
    postSettlements(this.#port, settlements)
  }
}

export function postRequests(port: MessagePort, { requests, read }: ToNode): void {
  // A proposal's buffer is handed over. A query's buffer stays here, since a read may be asked again of another node.
  const handedOver = [...read]
  for (const { type, frame } of requests) if (type === 'propose') handedOver.push(bufferOf(frame))
  port.postMessage({ requests, read }, handedOver)
}

function postSettlements(port: MessagePort, { settled, results }: Settlements): void {
  const handedOver = [results.buffer as ArrayBuffer]
  for (const settlement of settled) {
    if (settlement.outcome === 'read') handedOver.push(settlement.results.buffer as ArrayBuffer)
    else if (settlement.outcome === 'refused' && settlement.frame !== undefined)
      handedOver.push(bufferOf(settlement.frame))
  }
  port.postMessage({ type: 'settlements', settled, results } satisfies FromNode, handedOver)
}

function bufferOf(frame: Frame): ArrayBuffer {
  return frame.bytes.buffer as ArrayBuffer
}
