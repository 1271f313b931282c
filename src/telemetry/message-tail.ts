/** The messages between nodes since the last look, read from the rows of the nodes without asking them. */
import type { NodeId } from '../raft/index.js'
import type { Carried } from './happenings.js'
import { RingEnd, type Rows } from './row-ring.js'
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
  readonly #tails = new Map<NodeId, readonly RingEnd[]>()

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
    const taken: Taken = { carried: [], leftOut: { sent: 0, received: 0 }, rowsLost: 0 }
    const present = new Map(this.#memories())
    for (const nodeId of this.#tails.keys()) if (!present.has(nodeId)) this.#tails.delete(nodeId)
    for (const [nodeId, memory] of present) {
      // All rows of a node that was added since are new.
      const tails = this.#tails.get(nodeId) ?? tailsOf(memory)
      this.#tails.set(nodeId, tails)
      for (const tail of tails) takeOf(tail.read(), nodeId, most, taken)
    }
    taken.carried.sort(byTime)
    return taken
  }
}

function tailsOf({ busy, calm }: WaymarkMemory): readonly RingEnd[] {
  return [new RingEnd(busy), new RingEnd(calm)]
}

/** The messages of the nodes that were read in this look. */
interface Taken {
  readonly carried: Carried[]
  readonly leftOut: { sent: number; received: number }
  rowsLost: number
}

function takeOf(rows: Rows, nodeId: NodeId, most: number, taken: Taken): void {
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
