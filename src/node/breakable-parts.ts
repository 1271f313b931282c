/**
 * The parts of a node behind the faults that stand on its board. The board is looked at as each turn begins, so a fault
 * holds from the node's next turn on. A turn without news pays one atomic load.
 */
import type { Clock } from '../driver/index.js'
import { type Fault, SkewedClock, type StandingFault } from '../faults/index.js'
import type { Message } from '../raft/index.js'
import { isDiskFull } from '../storage/index.js'
import type { ClientWayEnd, ToNode } from '../transport/index.js'
import { Board } from './board.js'
import type { NodeOptions } from './control.js'
import { FaultyLinks } from './faulty-links.js'
import type { OpenedStore } from './open-store.js'
import type { NodeClients, NodeLinks, NodeParts } from './parts.js'

/** Calls of the gate to its node. */
export interface AtGate {
  /** Called just before the thread freezes. */
  freezes(): void
  /** The node takes no turn any more: its end follows. */
  ends(): void
}

export class BreakableParts implements NodeParts {
  readonly clock: Clock
  /** The last look at the true clock, which each look at the node's own clock takes. */
  lookedAtMs = 0
  readonly #parts: NodeParts
  readonly #board: Board
  readonly #atGate: AtGate
  readonly #skewed: SkewedClock
  readonly #links: FaultyLinks
  #standing: readonly StandingFault[] = []
  /** The version of the board that holds here. */
  #seen = -1
  #disk: OpenedStore['disk'] | undefined
  /** By how much slow disks delay each flush. */
  #flushMs = 0
  readonly #slowFlushes = new Set<NodeJS.Timeout>()
  #setPace: (() => void) | undefined
  #isClosed = false

  constructor(parts: NodeParts, options: NodeOptions, atGate: AtGate) {
    this.#parts = parts
    this.#board = new Board(options.board)
    this.#atGate = atGate
    this.#links = new FaultyLinks(options, () => this.look())
    this.#skewed = new SkewedClock(() => {
      this.lookedAtMs = parts.clock.now()
      return this.lookedAtMs
    })
    this.clock = {
      now: () => this.#skewed.now(),
      steady: () => this.#skewed.steady(),
      defer: (callback) => parts.clock.defer(callback),
    }
    this.look()
  }

  /** Takes what is new on the board. Freezes the thread while the gate is closed. */
  look(): void {
    if (this.#board.version !== this.#seen && !this.#isClosed) this.#takeNews()
  }

  startTicks(tickMs: number, tick: () => void): () => void {
    const run = () => {
      this.look()
      tick()
    }
    let { drift } = this.#skewed
    const start = () => this.#parts.startTicks(tickMs / (1 + drift), run)
    let stop = start()
    this.#setPace = () => {
      if (drift === this.#skewed.drift) return
      drift = this.#skewed.drift
      stop()
      stop = start()
    }
    return () => {
      this.#setPace = undefined
      stop()
    }
  }

  createLinks(wake: (first: Message) => void, receive: (message: Message) => void): NodeLinks {
    const links = this.#links
    return this.#parts.createLinks(
      (first) => {
        this.look()
        if (links.areStanding) links.arrives(first, wake, wake)
        else wake(first)
      },
      (message) => {
        if (links.areStanding) links.arrives(message, receive, wake)
        else receive(message)
      },
    )
  }

  openClients(
    end: ClientWayEnd,
    wake: (first: ToNode) => void,
    receive: (next: ToNode) => void,
  ): NodeClients {
    const links = this.#links
    const clients = this.#parts.openClients(
      end,
      (first) => {
        this.look()
        if (links.areStanding) links.requested(first, wake, wake)
        else wake(first)
      },
      (message) => {
        if (links.areStanding) links.requested(message, receive, wake)
        else receive(message)
      },
    )
    return {
      listen: () => clients.listen(),
      drain: () => clients.drain(),
      waitsIfFull: () => clients.waitsIfFull(),
      settle: (settlements) => {
        if (links.areStanding) links.answered(settlements, (part) => clients.settle(part))
        else clients.settle(settlements)
      },
    }
  }

  openStore(options: NodeOptions): OpenedStore {
    const opened = this.#parts.openStore(options)
    this.#disk = opened.disk
    this.#breakDisk()
    return opened
  }

  /** The node has ended: all that waits here is let go of, and no news of the board counts any more. */
  close(): void {
    this.#isClosed = true
    this.#links.close()
    for (const timer of this.#slowFlushes) clearTimeout(timer)
    const failing = this.#latest('failDisk')
    const failure = this.#disk?.failure
    if (failing !== undefined && failure !== undefined && !isDiskFull(failure)) this.#board.spend(failing.id)
    if (this.#disk !== undefined) this.#board.leaveBytes(this.#disk.bytesLeft)
  }

  #takeNews(): void {
    while (this.#board.gate === 'closed') {
      this.#atGate.freezes()
      this.#board.waitAtGate()
    }
    const { version, standing } = this.#board.read()
    this.#seen = version
    if (this.#board.gate === 'ending') return this.#atGate.ends()
    this.#standing = standing
    this.#skewed.set(standing)
    this.#setPace?.()
    // Flushes and messages that a fault held back go on now, and may lead to turns, so all else is set before.
    this.#breakDisk()
    this.#links.set(standing)
  }

  #breakDisk(): void {
    const disk = this.#disk
    if (disk === undefined) return
    const failing = this.#latest('failDisk')
    const isFailing = failing !== undefined && !this.#board.isSpent(failing.id)
    disk.failNextFlush(isFailing ? 'lost' : undefined)
    const bounds = new Map<number, number>()
    for (const { id, fault } of this.#standing)
      if (fault.type === 'fullDisk') bounds.set(id, this.#board.bytesLeft(id) ?? fault.bytesLeft)
    disk.fillDisk(bounds)
    let flushMs = 0
    for (const { fault } of this.#standing) if (fault.type === 'slowDisk') flushMs += fault.flushMs
    // Other news leave a flush in its delay.
    if (flushMs !== this.#flushMs)
      disk.delayFlushes(flushMs > 0 ? (begin) => this.#afterwards(flushMs, begin) : undefined)
    this.#flushMs = flushMs
    if (this.#latest('stallDisk') === undefined) disk.releaseFlushes()
    else disk.stallFlushes()
  }

  #afterwards(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#slowFlushes.delete(timer)
      this.look()
      run()
    }, ms)
    this.#slowFlushes.add(timer)
  }

  #latest<Type extends Fault['type']>(type: Type) {
    type Standing = { readonly id: number; readonly fault: Extract<Fault, { type: Type }> }
    return this.#standing.findLast(({ fault }) => fault.type === type) as Standing | undefined
  }
}
