/** The messages between nodes since the last look, read from the rows of the nodes without asking them. */
import type { NodeId } from '../raft/index.js'
import type { Carried } from './happenings.js'
import { RowRing } from './row-ring.js'
import { byTime, carriedOf, isOfMessage, isOfReceived, type WaymarkMemory } from './waymarks.js'

export interface MessagesTaken {
  /** Oldest first. */
  readonly carried: readonly Carried[]
  /** Messages that are not among them since there were too many: of both ends of a message, each is counted. */
  readonly leftOut: { readonly sent: number; readonly received: number }
  /** Rows that the nodes wrote over before this look. Some of them were messages. */
  readonly rowsLost: number
}

export class MessageTail {
  readonly #memories: () => Iterable<readonly [NodeId, WaymarkMemory]>
  readonly #tails = new Map<NodeId, readonly RingTail[]>()

  /** Begins with what comes from now on. */
  constructor(memories: () => Iterable<readonly [NodeId, WaymarkMemory]>) {
    this.#memories = memories
    for (const [nodeId, memory] of memories()) {
      const tails = tailsOf(memory)
      for (const tail of tails) tail.skip()
      this.#tails.set(nodeId, tails)
    }
  }

  /** Of each node at most so many messages that replicate, and as many others: the newest. */
  take(most: number): MessagesTaken {
    const taken = { carried: [] as Carried[], leftOut: { sent: 0, received: 0 }, rowsLost: 0 }
    const present = new Map(this.#memories())
    for (const nodeId of this.#tails.keys()) if (!present.has(nodeId)) this.#tails.delete(nodeId)
    for (const [nodeId, memory] of present) {
      // All rows of a node that was added since are new.
      const tails = this.#tails.get(nodeId) ?? tailsOf(memory)
      this.#tails.set(nodeId, tails)
      for (const tail of tails) tail.take(nodeId, most, taken)
    }
    taken.carried.sort(byTime)
    return taken
  }
}

function tailsOf({ busy, calm }: WaymarkMemory): readonly RingTail[] {
  return [new RingTail(busy), new RingTail(calm)]
}

/** A reader of one ring, and where it goes on. */
class RingTail {
  readonly #ring: RowRing
  #position = 0

  constructor(memory: ArrayBufferLike) {
    this.#ring = new RowRing(memory)
  }

  skip(): void {
    this.#position = this.#ring.end
  }

  take(
    nodeId: NodeId,
    most: number,
    taken: { carried: Carried[]; leftOut: { sent: number; received: number }; rowsLost: number },
  ): void {
    const rows = this.#ring.readFrom(this.#position)
    this.#position = rows.next
    taken.rowsLost += rows.lost
    const newest: Carried[] = []
    for (let at = rows.length - 1; at >= 0; at--) {
      const code = rows.codeAt(at)
      if (!isOfMessage(code)) continue
      const row = newest.length < most ? rows.rowAt(at) : undefined
      if (row !== undefined) newest.push(carriedOf(nodeId, row))
      else taken.leftOut[isOfReceived(code) ? 'received' : 'sent']++
    }
    // Messages of one turn have one time, and stay in their order.
    taken.carried.push(...newest.reverse())
  }
}
