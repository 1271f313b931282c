/**
 * Reads that go to a node of the caller's choice, or to any. A read changes nothing, so a read that any node may serve
 * goes on to another one when its node refuses it, is gone, or does not answer soon. The node then has a rest, and is
 * asked again later.
 */
import { RaftError } from '../errors/index.js'
import type { RunningTime } from '../node/index.js'
import type { NodeId } from '../raft/index.js'
import type { ClientRequest, NodePort } from '../transport/index.js'
import type { Leadership } from './end-errors.js'
import type { ReadBuffers } from './read-buffers.js'
import type { ReadAt } from './readings.js'
import { invalid } from './refusals.js'
import type { ReadTarget, Request } from './requests.js'
import type { SentRequests } from './sent-requests.js'

/** How long a node is left out after it failed a read. */
const restMs = 1000
/** A read that any node may serve has no node before it is sent: the calls of a turn stay together. */
const nobody: NodeId = 0

/** The parts of the client by which requests leave. */
export interface Ways {
  readonly ports: ReadonlyMap<NodeId, NodePort>
  readonly sent: SentRequests
  readonly read: ReadBuffers
  /** The clock of deadlines. */
  readonly time: RunningTime
  leadership(): Leadership
}

export class NodeReads {
  readonly #ways: Ways
  unsent: Request[] = []
  /** Wait for the next look, so that a node that refuses is not asked all the time. */
  #paused: Request[] = []
  /** Until when nodes rest. */
  readonly #resting = new Map<NodeId, number>()
  /** The nodes that do not rest, until the next turn. */
  #awake: readonly NodeId[] | undefined
  #lastNode = 0

  constructor(ways: Ways) {
    this.#ways = ways
  }

  get isWaiting(): boolean {
    return this.unsent.length > 0
  }

  /** The node for a new call. Throws when the one that is named does not run. */
  nodeFor({ from }: ReadAt): NodeId {
    if (from === 'any') return nobody
    const { ports } = this.#ways
    const leadership = this.#ways.leadership()
    const nodeId = from === 'leader' ? leadership.leaderId : from
    if (nodeId !== undefined && ports.has(nodeId)) return nodeId
    if (from === 'leader') throw new RaftError('NO_LEADER', { deadlineMs: 0, because: leadership.failures })
    const running = ports.size === 0 ? 'none does' : [...ports.keys()].join(', ')
    const expected = `'leader', 'any' or a node that runs (${running})`
    throw invalid('from', expected, from, leadership.failures)
  }

  /** Whether the node is there to be read from. */
  has(nodeId: NodeId): boolean {
    return this.#ways.ports.has(nodeId)
  }

  /** Sends all that may leave. Requests for which their node or their caller has no room wait. */
  send(): void {
    this.#awake = undefined
    const batches = new Map<NodeId, ClientRequest[]>()
    this.unsent = this.unsent.filter((request) => !request.isSettled && !this.#leaves(request, batches))
    for (const [nodeId, batch] of batches) this.#ways.ports.get(nodeId)?.send(batch, this.#ways.read.take())
  }

  #leaves(request: Request, batches: Map<NodeId, ClientRequest[]>): boolean {
    const { target, queue } = request
    if (target === undefined) return false
    if (target.isAny && !this.#isAwake(target.nodeId)) target.nodeId = this.#nextNode()
    const { ports, sent, time } = this.#ways
    const port = ports.get(target.nodeId)
    if (port === undefined || port.isFull || !sent.isOpenTo(queue)) return false
    const batch = batches.get(target.nodeId) ?? []
    batches.set(target.nodeId, batch)
    batch.push(sent.add(request, target.nodeId))
    if (target.isAny) request.doubtedMs = time.now() + request.patienceMs
    return true
  }

  /** The rest of the answers is asked for. Answers to earlier copies would begin with those that are there already. */
  goesOn(request: Request): void {
    this.#ways.sent.remove(request)
    if (!this.unsent.includes(request) && !this.#paused.includes(request)) this.unsent.push(request)
  }

  /** The node of the request did not serve it. */
  failed(request: Request, { nodeId, isAny }: ReadTarget): void {
    this.#ways.sent.takeBack(request)
    if (isAny) this.#resting.set(nodeId, performance.now() + restMs)
    this.#awake = undefined
    if (isAny && this.#awakeNodes.length > 0) this.unsent.push(request)
    else this.#paused.push(request)
  }

  /** To be called now and then: what paused may leave, and what is settled is let go of. */
  look(): void {
    this.unsent = [...this.unsent, ...this.#paused].filter(({ isSettled }) => !isSettled)
    this.#paused = []
  }

  /** The node is gone. Returns the reads that nobody else was to serve. */
  left(nodeId: NodeId): Request[] {
    this.#awake = undefined
    const waiting = [...this.unsent, ...this.#paused]
    this.#resting.delete(nodeId)
    const isOnlyHere = ({ isSettled, target }: Request): boolean =>
      !isSettled && target?.nodeId === nodeId && !target.isAny
    return waiting.filter(isOnlyHere)
  }

  /** The nodes in turn: of those that do not rest, or of all when all do. */
  #nextNode(): NodeId {
    const awake = this.#awakeNodes
    const nodes = awake.length > 0 ? awake : [...this.#ways.ports.keys()]
    return nodes[this.#lastNode++ % nodes.length] ?? nobody
  }

  get #awakeNodes(): readonly NodeId[] {
    this.#awake ??= [...this.#ways.ports.keys()].filter((nodeId) => this.#isAwake(nodeId))
    return this.#awake
  }

  #isAwake(nodeId: NodeId): boolean {
    return this.#ways.ports.has(nodeId) && (this.#resting.get(nodeId) ?? 0) <= performance.now()
  }
}
