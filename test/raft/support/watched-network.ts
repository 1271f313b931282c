/**
 * A network that is stepped by hand, under the checks of the simulator: its nodes, their promises and what they apply.
 */
import {
  Checker,
  type Durable,
  membershipOf,
  Promises,
  Questions,
  type WatchedNode,
  type Witness,
} from '../../../src/proof/index.js'
import type { LogIndex, LogRun, Message, NodeId } from '../../../src/raft/index.js'
import {
  type NetworkNode,
  type NetworkOptions,
  type NodeSetup,
  RaftNetwork,
} from '../../../src/testing/index.js'
import { noCounts } from '../../proof/no-counts.js'

const decoder = new TextDecoder()

/** All checks throw what they find. */
const witness: Witness = {
  report: (rule, detail) => {
    throw new Error(`${rule}: ${detail}`)
  },
  committed: () => undefined,
}

/** A node and its disk, as the checks see them. */
class Watched implements WatchedNode, Durable {
  readonly isLeaseHeld = false
  readonly neverLeads: boolean
  readonly #node: NetworkNode

  constructor(node: NetworkNode, { priority }: NodeSetup = {}) {
    this.#node = node
    this.neverLeads = priority === 0
  }

  get id(): NodeId {
    return this.#node.id
  }

  get state(): WatchedNode['state'] {
    return this.#node.isUp ? this.#node.state : undefined
  }

  get durable(): Durable {
    return this
  }

  get hardState(): Durable['hardState'] {
    return this.#node.disk.recover().hardState
  }

  get snapshotIndex(): LogIndex {
    return this.#node.disk.recover().snapshot?.index ?? 0
  }

  holds({ index, term }: Parameters<Durable['holds']>[0]): boolean {
    const { base, entries } = this.#node.disk
    if (base.index >= index) return true
    return entries.some((run) => run.index <= index && index < run.index + run.count && run.term === term)
  }

  readonly disk = {
    lost: undefined,
    readBack: (run: LogRun): LogRun =>
      run.bytes === undefined ? (this.#node.disk.readEntries(run) ?? run) : run,
  }
}

export class WatchedNetwork {
  readonly network: RaftNetwork
  readonly counts = noCounts()
  readonly #nodes = new Map<NodeId, Watched>()
  readonly #checker: Checker
  readonly #promises: Promises
  readonly #questions = new Questions(witness.report)
  readonly #seenEvents = new Map<NetworkNode, number>()
  /** How much each node had applied when it was looked at last. */
  readonly #applied = new Map<NetworkNode, number>()

  constructor(options: NetworkOptions & { readonly nodes: Readonly<Record<NodeId, NodeSetup>> }) {
    const watched: Watched[] = []
    const membership = { ...membershipOf(Object.keys(options.nodes).map(Number)), ...options.membership }
    this.#checker = new Checker(witness, this.counts, watched, membership)
    this.#promises = new Promises(this.#checker)
    this.network = new RaftNetwork({ ...options, sent: (message) => this.#sent(message) })
    for (const node of this.network.nodes) {
      const setup = options.nodes[node.id]
      watched.push(new Watched(node, setup))
      this.#nodes.set(node.id, new Watched(node, setup))
      this.#started(node)
    }
  }

  /** How many entries are known to be committed anywhere. */
  get committed(): number {
    return this.#checker.ledger.last.index
  }

  /** The nodes that a committed change removed. */
  get removed(): ReadonlySet<NodeId> {
    return this.#checker.configurations.removed
  }

  /** Every committed entry as plain data. */
  get log(): unknown[] {
    const { committed } = this.#checker.ledger
    return committed.map(({ index, term, command }) => [index, term, decoder.decode(command)])
  }

  restart(node: NetworkNode): void {
    node.restart()
    this.#started(node)
  }

  /** Delivers one message, if its node is up, and looks at what the node makes of it. */
  deliver(message: Message): void {
    const node = this.network.node(message.to)
    const watched = this.#watched(message.to)
    if (node.isUp) this.#questions.asked(watched, message)
    this.network.deliver((other) => other === message)
    if (!node.isUp) return
    this.#questions.took(watched, message)
    this.#checker.observe(watched, message)
  }

  /** Throws when a property does not hold. Called after every step. */
  check(): void {
    for (const watched of this.#nodes.values()) this.#checker.observe(watched)
    for (const node of this.network.nodes) {
      this.#hear(node)
      if (node.isUp) this.#stateMachineSafety(node)
    }
  }

  /** Hears what a node told of itself since it was heard last. */
  #hear(node: NetworkNode): void {
    const fresh = node.events.slice(this.#seenEvents.get(node) ?? 0)
    this.#seenEvents.set(node, node.events.length)
    for (const event of fresh) this.#questions.observed(node.id, event)
  }

  /**
   * Every committed entry is on the flushed disks of a majority, whatever happened since it was committed. The members of
   * then may be gone: those that are members count.
   */
  checkDisks(): void {
    const { committed, last } = this.#checker.ledger
    for (const entry of committed) this.#checker.durableOnMajority(entry, last.membership)
  }

  /** If a node has applied an entry at an index, no other node applies a different one there. */
  #stateMachineSafety(node: NetworkNode): void {
    const { applied, id } = node
    const { committed } = this.#checker.ledger
    // The state is looked at once more before it ends, since a restore replaces all of it.
    const from = Math.max(0, Math.min(this.#applied.get(node) ?? 0, applied.length) - 8)
    for (let at = from; at < applied.length; at++) {
      const [entry, known] = [applied[at], committed[at + 1]]
      const isSame =
        entry?.index === at + 1 &&
        entry.term === known?.term &&
        entry.command === decoder.decode(known.command)
      if (!isSame) witness.report('state-machine safety', `node ${id} applied another entry at ${at + 1}`)
    }
    this.#applied.set(node, applied.length)
  }

  /** A message leaves its node: what it promises is on disk by then. */
  #sent(message: Message): void {
    const watched = this.#watched(message.from)
    this.#checker.observe(watched)
    this.#hear(this.network.node(message.from))
    this.#promises.sent(watched, message)
    this.#questions.sent(watched, message)
  }

  #started(node: NetworkNode): void {
    const { disk } = node
    const store = { readEntries: disk.readEntries.bind(disk) }
    this.#checker.recovered(node.id, { store, recovered: disk.recover() })
  }

  #watched(id: NodeId): Watched {
    const watched = this.#nodes.get(id)
    if (watched === undefined) throw new Error(`there is no node ${id}`)
    return watched
  }
}
