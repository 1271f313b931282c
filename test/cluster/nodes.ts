/** A client whose nodes are played by the test. */
import type { MessagePort } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import { Caller } from '../../src/cluster/caller.js'
import { Client } from '../../src/cluster/client.js'
import { type ReadOptions, readingAt, type Stale, type StaleReadOptions } from '../../src/cluster/read-at.js'
import { type Reading, readingOfOne } from '../../src/cluster/readings.js'
import {
  type CallHeader,
  endOfResults,
  ResultBuilder,
  readSessionHeader,
  type SessionAnswer,
  sessionAnswerBytes,
  writeSessionAnswer,
} from '../../src/machine/index.js'
import { type NodeId, sliceFrame } from '../../src/raft/index.js'
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
  failures: string | undefined
  /** The nodes' own ends of their ports. */
  readonly ports = new Map<NodeId, MessagePort>()
  /** How many requests each message brought. */
  readonly messages: number[] = []
  /** Bytes of the buffers that came back. */
  readonly givenBack: number[] = []
  /** The headers of calls of a session, by their requests. */
  readonly calls = new Map<number, CallHeader>()
  /** The answers of sessions to the calls that are applied. */
  status: SessionAnswer['status'] = 'applied'
  /** Sessions that were begun; the last one has this id. */
  sessions = 0
  answersRegistrations = true
  /** The node that each request reached last. */
  readonly askedOf = new Map<number, NodeId>()
  readonly #waiting: ((request: ClientRequest) => void)[] = []
  readonly #arrived: ClientRequest[] = []

  constructor(timeoutMs = 60_000) {
    this.client = new Client(timeoutMs, 60_000, () => this)
    this.caller = new Caller(this.client)
    onTestFinished(() => this.client.close())
  }

  add(nodeId: NodeId): void {
    const [clientEnd, nodeEnd] = createClientWay()
    const arrives = ({ requests, read }: ToNode): void => {
      const calls = requests.filter((request) => !this.#registers(request, nodeId))
      if (calls.length > 0) this.messages.push(calls.length)
      this.givenBack.push(...read.map(({ byteLength }) => byteLength))
      for (const request of calls) {
        this.askedOf.set(request.request, nodeId)
        this.#arrive(this.#withoutHeader(request))
      }
    }
    new ClientPort(nodeEnd, arrives, arrives).listen()
    this.ports.set(nodeId, nodeEnd.port)
    this.client.attach(nodeId, clientEnd, () => undefined)
  }

  /** A first call, by which the client registers its session. */
  async beginSession(): Promise<void> {
    const call = this.call('propose', '')
    const { request } = await this.next()
    this.settle({ request, outcome: 'applied', index: 1, count: 1 }, '')
    await call
    this.messages.length = 0
    this.givenBack.length = 0
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
    this.post(settlements, nodeId)
    this.client.drain(nodeId)
  }

  /** The messages of the node lie in the client's port until the client looks. */
  post(settlements: Settlements, nodeId: NodeId): void {
    const said = { type: 'settlements', weight: 0, ...this.#inSession(settlements) }
    this.ports.get(nodeId)?.postMessage(said)
  }

  /** Answers the first queries of the request: all of them, or a part. */
  answerRead({ request }: ClientRequest, ...answers: readonly string[]): void {
    const settlement = { request, outcome: 'read', count: answers.length, results: packed(answers) } as const
    this.say({ settled: [settlement], results: packed([]) }, this.askedOf.get(request))
  }

  /** A call of one command; resolves with its index and result. */
  call(type: 'propose' | 'read', command: string, caller = this.caller): Promise<string> {
    return caller.call(firstResult(type), (frame) => frame.append(Buffer.from(command)))
  }

  /** A read with options. */
  read(query: string, options: ReadOptions | StaleReadOptions): Promise<string | Stale<string>> {
    const reading = readingAt(firstResult('read'), options)
    return this.caller.call<string | Stale<string>, []>(reading, (frame) => frame.append(Buffer.from(query)))
  }

  /** Answers a request for a session, at the node that it reached. */
  register({ request }: ClientRequest, session: number): void {
    const nodeId = this.askedOf.get(request) ?? 1
    this.#begins(session, request, nodeId)
    this.client.drain(nodeId)
  }

  /** A request for a session is answered at once. */
  #registers({ request, frame }: ClientRequest, nodeId: NodeId): boolean {
    if (readSessionHeader(frame)?.op !== 'register' || !this.answersRegistrations) return false
    this.#begins(++this.sessions, request, nodeId)
    return true
  }

  #begins(session: number, request: number, nodeId: NodeId): void {
    const results = new ResultBuilder()
    appendAnswer(results, 'applied', session)
    const settled = [{ request, outcome: 'applied', index: session, count: 1 }]
    const said = { type: 'settlements', weight: 0, settled, results: results.take().bytes }
    this.ports.get(nodeId)?.postMessage(said)
  }

  /** The commands of a call of a session, as the test sees them. */
  #withoutHeader(request: ClientRequest): ClientRequest {
    const header = readSessionHeader(request.frame)
    if (header?.op !== 'call') return request
    this.calls.set(request.request, header)
    return { ...request, frame: sliceFrame(request.frame, 1) }
  }

  /** In front of the results of a call of a session stands the session's answer. */
  #inSession({ settled, results }: Settlements): Settlements {
    const said = new ResultBuilder()
    let from = 0
    const counted = settled.map((settlement): Settlement => {
      const isOfSession = settlement.outcome === 'applied' && this.calls.has(settlement.request)
      if (isOfSession) appendAnswer(said, this.status, settlement.index)
      if (settlement.outcome !== 'applied') return settlement
      const end = endOfResults(results, from, settlement.count)
      if (end !== undefined) said.appendPacked(results.subarray(from, end), settlement.count)
      from = end ?? from
      return isOfSession ? { ...settlement, count: settlement.count + 1 } : settlement
    })
    said.appendPacked(results.subarray(from), 1)
    return { settled: counted, results: said.take().bytes }
  }

  #arrive(request: ClientRequest): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#arrived.push(request)
    else waiting(request)
  }
}

export function appendAnswer(results: ResultBuilder, status: SessionAnswer['status'], index: number): void {
  const start = results.reserve(sessionAnswerBytes)
  writeSessionAnswer(results.bytes, start, status, index)
}

function firstResult(type: 'propose' | 'read'): Reading<string> {
  return readingOfOne(type, (answers) => {
    return `${answers.index} ${Buffer.from(answers.bytes.subarray(answers.start, answers.end))}`
  })
}

export function packed(results: readonly string[]): Uint8Array {
  const builder = new ResultBuilder()
  for (const result of results) builder.append(Buffer.from(result))
  return builder.take().bytes
}

/** Two nodes, of which one leads, and a client that has begun its session. */
export async function nodesLedBy(leaderId: NodeId, timeoutMs?: number): Promise<Nodes> {
  const nodes = new Nodes(timeoutMs)
  nodes.add(1)
  nodes.add(2)
  nodes.leaderId = leaderId
  await nodes.beginSession()
  return nodes
}
