/** Looks at what a node has applied: each step of it is told, and now and then its whole state is compared with the model. */
import type { LogIndex, NodeId } from '../raft/index.js'
import type { WatchedMachine } from './watched-machine.js'
import type { World } from './world.js'

/** A node's whole state is compared with the model's once in so many turns that applied something. */
const stateCheckTurns = 16

export class AppliedWatch {
  readonly #nodeId: NodeId
  readonly #world: World
  #turns = 0
  #lastApplied: LogIndex = 0

  constructor(nodeId: NodeId, world: World) {
    this.#nodeId = nodeId
    this.#world = world
  }

  /** A life of the node begins. */
  begins(): void {
    this.#lastApplied = 0
  }

  /** After a step of the node. True when its whole state is to be compared. */
  stepped(lastApplied: LogIndex, machine: WatchedMachine | undefined): boolean {
    if (lastApplied === this.#lastApplied) return false
    this.#world.fingerprint.add(lastApplied)
    const index = this.#lastApplied + 1
    this.#world.tracer.record(this.#nodeId, { type: 'applied', index, count: lastApplied - index + 1 })
    this.#lastApplied = lastApplied
    const isDue = ++this.#turns % stateCheckTurns === 0
    return isDue || machine?.isRestored === true
  }
}
