/** A client whose nodes are played by the test. */
import type { MessagePort } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import type { Caller } from '../../src/cluster/caller.js'
import { Client } from '../../src/cluster/client.js'
import { readingOfOne } from '../../src/cluster/requests.js'
import { ResultBuilder } from '../../src/machine/index.js'
import type { NodeId } from '../../src/raft/index.js'
import {
  ClientPort,
  type ClientRequest,
  createClientWay,
  type Settlement,
  type Settlements,
  type ToNode,
} from '../../src/transport/index.js'

/** A client, and nodes that do only what the test says. */
export class Nodes {
  readonly client: Client
  readonly caller: Caller
  leaderId: NodeId | undefined
  /** The nodes' own ends of their ports. */
  readonly ports = new Map<NodeId, MessagePort>()
  /** How many requests each message brought. */
  readonly messages: number[] = []
  /** Bytes of the buffers that came back. */
  readonly givenBack: number[] = []
  readonly #waiting: ((request: ClientRequest) => void)[] = []
  readonly #arrived: ClientRequest[] = []

  constructor(timeoutMs = 60_000) {
    this.client = new Client(timeoutMs, () => this.leaderId)
    this.caller = this.client.newCaller()
    onTestFinished(() => this.client.close())
  }

  add(nodeId: NodeId): void {
    const [clientEnd, nodeEnd] = createClientWay()
    const arrives = ({ requests, read }: ToNode): void => {
      this.messages.push(requests.length)
      this.givenBack.push(...read.map(({ byteLength }) => byteLength))
      for (const request of requests) this.#arrive(request)
    }
    new ClientPort(nodeEnd, arrives, arrives).listen()
    this.ports.set(nodeId, nodeEnd.port)
    this.client.attach(nodeId, clientEnd, () => undefined)
  }

  /** The next request that reaches a node. */
  next(): Promise<ClientRequest> {
    const arrived = this.#arrived.shift()
    if (arrived !== undefined) return Promise.resolve(arrived)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** A request that has reached a node. */
  tryNext(): ClientRequest | undefined {
    return this.#arrived.shift()
  }

  settle(settlement: Settlement, ...results: readonly string[]): void {
    this.say({ settled: [settlement], results: packed(results) })
  }

  /** The leader, or else the first node, says it by its port, and the client hears it at once. */
  say(settlements: Settlements, nodeId = this.leaderId ?? 1): void {
    this.ports.get(nodeId)?.postMessage({ type: 'settlements', weight: 0, ...settlements })
    this.client.drain(nodeId)
  }

  /** Answers the first queries of the request: all of them, or a part. */
  answerRead({ request }: ClientRequest, ...answers: readonly string[]): void {
    this.settle({ request, outcome: 'read', count: answers.length, results: packed(answers) })
  }

  /** A call of one command; resolves with its index and result. */
  call(type: 'propose' | 'read', command: string, caller = this.caller): Promise<string> {
    const read = readingOfOne(type, (answers) => {
      return `${answers.index} ${Buffer.from(answers.bytes.subarray(answers.start, answers.end))}`
    })
    return caller.call(read, (frame) => frame.append(Buffer.from(command)))
  }

  #arrive(request: ClientRequest): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#arrived.push(request)
    else waiting(request)
  }
}

export function packed(results: readonly string[]): Uint8Array {
  const builder = new ResultBuilder()
  for (const result of results) builder.append(Buffer.from(result))
  return builder.take().bytes
}

export function nodesLedBy(leaderId: NodeId, timeoutMs?: number): Nodes {
  const nodes = new Nodes(timeoutMs)
  nodes.add(1)
  nodes.add(2)
  nodes.leaderId = leaderId
  return nodes
}
