/**
 * A network of protocol instances, stepped by hand: nothing happens unless the test says so, and the same
 * steps give the same run. No threads, no clock: for tests of the protocol, and of what is built on it.
 *
 *     const network = new RaftNetwork({ nodes: 3 })
 *     network.elect(1)
 *     network.link(1, 2).drop('appendEntries')
 *     network.node(1).propose('x')
 *     network.settle()
 */
import type { Membership, Message, MessageType, NodeId, RaftLimits } from '../raft/index.js'
import { cloneMessage } from '../transport/index.js'
import { NetworkNode, type NodeSetup, type StepObserver } from './network-node.js'

export interface NetworkOptions {
  /** How many empty nodes, counted from 1; or how each node begins, by its id. */
  readonly nodes: number | Readonly<Record<NodeId, NodeSetup>>
  /** Default: every node is a voter. May name nodes that do not exist: they never answer. */
  readonly membership?: Partial<Membership>
  readonly limits?: Partial<RaftLimits>
  /** Called with each message as it leaves its node, whatever becomes of it. */
  readonly sent?: (message: Message) => void
  /** Sees each fact that a node was told, with the protocol's answer. */
  readonly observe?: StepObserver
}

/** Which messages are meant: all whose named fields are equal, or all that a function picks. */
export type MessageFilter =
  | { readonly from?: NodeId; readonly to?: NodeId; readonly type?: MessageType }
  | ((message: Message) => boolean)

function matches(filter: MessageFilter, message: Message): boolean {
  if (typeof filter === 'function') return filter(message)
  const { from = message.from, to = message.to, type = message.type } = filter
  return message.from === from && message.to === to && message.type === type
}

/** One direction between two nodes, and what becomes of messages that are sent over it. */
export class NetworkLink {
  readonly #dropped = new Set<MessageType | 'all'>()
  readonly #held = new Set<MessageType | 'all'>()
  readonly #holding: Message[] = []

  /** From now on these messages are lost; all of them when none is named. */
  drop(...types: readonly MessageType[]): void {
    for (const type of types.length === 0 ? (['all'] as const) : types) this.#dropped.add(type)
  }

  /** From now on these messages wait until `RaftNetwork.release`; all of them when none is named. */
  hold(...types: readonly MessageType[]): void {
    for (const type of types.length === 0 ? (['all'] as const) : types) this.#held.add(type)
  }

  /** From now on everything passes; what is held stays held until it is released. */
  pass(): void {
    this.#dropped.clear()
    this.#held.clear()
  }

  /** Messages that are held, oldest first. */
  get holding(): readonly Message[] {
    return this.#holding
  }

  /** What comes out of the link when `message` goes in. */
  carry(message: Message): Message | undefined {
    const { type } = message
    if (this.#dropped.has('all') || this.#dropped.has(type)) return undefined
    if (!this.#held.has('all') && !this.#held.has(type)) return message
    this.#holding.push(message)
    return undefined
  }

  /** Hands out what was held. */
  takeHeld(): Message[] {
    return this.#holding.splice(0)
  }
}

export class RaftNetwork {
  readonly #nodes = new Map<NodeId, NetworkNode>()
  readonly #links = new Map<string, NetworkLink>()
  readonly #sent: NetworkOptions['sent']
  #inFlight: Message[] = []
  /** A node all of whose messages are lost meanwhile. */
  #muted: NetworkNode | undefined

  constructor(options: NetworkOptions) {
    this.#sent = options.sent
    const setups = new Map<NodeId, NodeSetup>()
    if (typeof options.nodes === 'number') for (let id = 1; id <= options.nodes; id++) setups.set(id, {})
    else for (const [id, setup] of Object.entries(options.nodes)) setups.set(Number(id), setup)
    const membership = { voters: [...setups.keys()], votersOutgoing: [], learners: [], ...options.membership }
    for (const [id, setup] of setups) {
      const send = (message: Message) => this.#send(message)
      const { limits = {}, observe } = options
      const host = { id, membership, limits, send, ...(observe && { observe }) }
      this.#nodes.set(id, new NetworkNode(host, setup))
    }
  }

  get nodes(): NetworkNode[] {
    return [...this.#nodes.values()]
  }

  node(id: NodeId): NetworkNode {
    const node = this.#nodes.get(id)
    if (node === undefined) throw new Error(`there is no node ${id}`)
    return node
  }

  /** The nodes that lead, each in its own term. */
  get leaders(): NetworkNode[] {
    return this.nodes.filter((node) => node.isUp && node.state.role === 'leader')
  }

  /** The direction from one node to another. */
  link(from: NodeId, to: NodeId): NetworkLink {
    const key = `${from}>${to}`
    const link = this.#links.get(key) ?? new NetworkLink()
    this.#links.set(key, link)
    return link
  }

  /** Loses everything between two nodes, both ways. */
  cut(one: NodeId, other: NodeId): void {
    this.link(one, other).drop()
    this.link(other, one).drop()
  }

  /** Loses everything between one node and all others. */
  isolate(id: NodeId): void {
    for (const other of this.#nodes.keys()) if (other !== id) this.cut(id, other)
  }

  /** From now on everything passes everywhere. */
  heal(): void {
    for (const link of this.#links.values()) link.pass()
  }

  /** Puts held messages on their way, behind what is in flight. */
  release(from: NodeId, to: NodeId): void {
    this.#inFlight.push(...this.link(from, to).takeHeld())
  }

  /** Messages on their way, oldest first. */
  get inFlight(): readonly Message[] {
    return this.#inFlight
  }

  /** Takes messages off the network, and hands them to the test. */
  take(filter: MessageFilter = {}): Message[] {
    const taken = this.#inFlight.filter((message) => matches(filter, message))
    this.#inFlight = this.#inFlight.filter((message) => !matches(filter, message))
    return taken
  }

  /** Sends copies of messages: of those that were taken, or any that a test makes up. */
  inject(...messages: readonly Message[]): void {
    this.#inFlight.push(...messages.map(cloneMessage))
  }

  /** Delivers the oldest matching message; false when there is none. A node that is down hears nothing. */
  deliver(filter: MessageFilter = {}): boolean {
    const message = this.#inFlight.find((candidate) => matches(filter, candidate))
    if (message === undefined) return false
    this.#inFlight.splice(this.#inFlight.indexOf(message), 1)
    const node = this.#nodes.get(message.to)
    if (node?.isUp === true) node.receive(message)
    return true
  }

  /** Delivers matching messages, and what they bring about, until none is left. */
  settle(filter: MessageFilter = {}): void {
    for (let delivered = 0; this.deliver(filter); delivered++) {
      if (delivered > 100_000) throw new Error('the network does not come to rest')
    }
  }

  /** One tick at every node that is up, then everything is delivered; as many times as asked for. */
  tick(times = 1): void {
    for (let i = 0; i < times; i++) {
      for (const node of this.nodes) if (node.isUp) node.tick()
      this.settle()
    }
  }

  /**
   * Makes a node leader: all others stop hearing their leader, then it campaigns and everything is delivered. A leader
   * whose vote is needed loses its quorum first. Throws when the node does not win.
   */
  elect(id: NodeId): NetworkNode {
    const candidate = this.node(id)
    this.#campaign(candidate)
    const { leaders } = this
    if (candidate.state.role !== 'leader' && leaders.length > 0) {
      for (const leader of leaders) this.#depose(leader)
      this.#campaign(candidate)
    }
    if (candidate.state.role !== 'leader') throw new Error(`node ${id} was not elected`)
    return candidate
  }

  #campaign(candidate: NetworkNode): void {
    for (const node of this.nodes) if (node !== candidate && node.isUp) node.waitOutPromise()
    candidate.campaign()
    this.settle()
  }

  /** Time passes for a leader, nothing reaches it and nothing that it says arrives, until it has lost its quorum. */
  #depose(leader: NetworkNode): void {
    this.#muted = leader
    leader.tick(2 * leader.state.limits.electionTimeoutTicks)
    this.#muted = undefined
  }

  #send(message: Message): void {
    this.#sent?.(message)
    if (message.from === this.#muted?.id) return
    const carried = this.link(message.from, message.to).carry(cloneMessage(message))
    if (carried !== undefined) this.#inFlight.push(carried)
  }
}
