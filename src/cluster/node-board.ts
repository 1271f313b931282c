/** The board of one node as its cluster holds it, and whether the thread of the node is frozen. */
import { type Result, unwrap } from '../errors/index.js'
import type { StandingFault } from '../faults/index.js'
import { Board, type ControlledNode, Notice } from '../node/index.js'
import type { NodeId } from '../raft/index.js'
import { type LinkEnd, portsOf } from '../transport/index.js'

export class NodeBoard {
  readonly #board = new Board()
  /** Called when the node freezes. */
  readonly #onFrozen = new Set<() => void>()
  #frozenAtMs: number | undefined
  /** Links that a frozen node takes when it goes on: the newest one to each peer. */
  readonly #links = new Map<NodeId, LinkEnd>()
  /** Peers that left while the node was frozen: it lets go of its links to them when it goes on. */
  readonly #left = new Set<NodeId>()

  get memory(): SharedArrayBuffer {
    return this.#board.memory
  }

  /** Since when the node is frozen, by `performance.now`: it answers no call until its gate opens. */
  get frozenAtMs(): number | undefined {
    return this.#frozenAtMs
  }

  /** A new life begins, and takes its turns. */
  begin(): void {
    this.#open()
  }

  /** The life of the node ends: a frozen node goes nowhere else. */
  end(): void {
    this.#frozenAtMs = undefined
    this.#board.end()
    for (const peerId of [...this.#links.keys()]) this.#dropLink(peerId)
    this.#left.clear()
  }

  /** The node has told that it freezes. True when it was not frozen before, and its gate is closed still. */
  froze(): boolean {
    if (this.#board.gate !== 'closed' || this.#frozenAtMs !== undefined) return false
    this.#frozenAtMs = performance.now()
    for (const frozen of this.#onFrozen) frozen()
    return true
  }

  /**
   * From now on exactly these faults stand. Resolves once the node has noticed, or is frozen: then it notices before it
   * does anything else.
   */
  async show(standing: readonly StandingFault[], node: ControlledNode | undefined): Promise<void> {
    this.#board.write(new Notice(standing))
    const isPaused = standing.some(({ fault }) => fault.type === 'pause')
    const isClosed = this.#board.gate === 'closed'
    if (isPaused && !isClosed) this.#board.close()
    if (!isPaused && isClosed) {
      this.#open()
      for (const peerId of this.#left) void node?.disconnect(peerId)
      for (const link of this.#links.values()) void node?.connect(link)
      this.#left.clear()
      this.#links.clear()
    }
    const looked = node && (await this.unlessFrozen(() => node.look()))
    if (looked !== undefined) unwrap(looked)
  }

  /**
   * Hands a link to the node. A frozen node takes no message, however many lives its peers begin meanwhile: only the
   * newest link to each peer waits for it.
   */
  async connect(link: LinkEnd, node: ControlledNode): Promise<void> {
    if (this.#frozenAtMs === undefined) {
      const connected = node.connect(link)
      await this.unlessFrozen(() => connected)
    } else {
      this.#dropLink(link.peerId)
      this.#links.set(link.peerId, link)
    }
  }

  /** Closes the link to a peer that does not come back: that of a frozen node once it goes on. */
  async disconnect(peerId: NodeId, node: ControlledNode): Promise<void> {
    this.#dropLink(peerId)
    if (this.#frozenAtMs !== undefined) this.#left.add(peerId)
    else await this.unlessFrozen(() => node.disconnect(peerId))
  }

  #dropLink(peerId: NodeId): void {
    const link = this.#links.get(peerId)
    this.#links.delete(peerId)
    if (link !== undefined) for (const port of portsOf(link)) port.close()
  }

  /** The answer to a call; `undefined` when the node is frozen, or freezes before it answers. */
  async unlessFrozen<T>(call: () => Promise<Result<T>>): Promise<Result<T> | undefined> {
    if (this.#frozenAtMs !== undefined) return undefined
    let frozen: () => void = () => undefined
    const freezing = new Promise<undefined>((resolve) => {
      frozen = () => resolve(undefined)
    })
    this.#onFrozen.add(frozen)
    try {
      return await Promise.race([call(), freezing])
    } finally {
      this.#onFrozen.delete(frozen)
    }
  }

  #open(): void {
    this.#frozenAtMs = undefined
    this.#board.open()
  }
}
