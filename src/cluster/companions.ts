/** Parts of a program that go with the nodes of a cluster, such as listening ports. */
import type { StandingFault } from '../faults/index.js'
import type { NodeId } from '../raft/index.js'
import type { Counters } from '../telemetry/index.js'
import { callForeign } from './foreign-code.js'

/** The numbers of a node in all its lives, read from shared memory. */
export type CountersRead = Pick<Counters, 'get'>

/** Each method is called in the turn in which the thing happens. An error of one is a warning of the process. */
export interface Companion {
  /** From now on exactly these faults stand at the node, in all of its lives. Also called before each `began`. */
  shown(nodeId: NodeId, faults: readonly StandingFault[]): void
  /** The node runs. The call that started it resolves after the promise, and rejects if the promise does: the node ends. */
  began(nodeId: NodeId, counters: CountersRead): Promise<void>
  /** The node does not run any more, however it ended. The last that is told of a life, and told once for each `began`. */
  ended(nodeId: NodeId): void
  /** The node has left the cluster for good. */
  removed(nodeId: NodeId): void
}

export class Companions {
  readonly #faultsAt: (nodeId: NodeId) => readonly StandingFault[]
  readonly #all = new Set<Companion>()
  /** The nodes whose beginning was told, and whose end was not. */
  readonly #running = new Map<NodeId, CountersRead>()

  constructor(faultsAt: (nodeId: NodeId) => readonly StandingFault[]) {
    this.#faultsAt = faultsAt
  }

  /** Tells `companion` of the nodes that run, by their ids, and from now on of all lives. Resolves with the end of it. */
  async add(companion: Companion): Promise<() => void> {
    const end = (): void => void this.#all.delete(companion)
    this.#all.add(companion)
    try {
      const nodes = [...this.#running].sort(([one], [other]) => one - other)
      await Promise.all(nodes.map((node) => this.#tell(companion, ...node)))
      return end
    } catch (error) {
      end()
      throw error
    }
  }

  async began(nodeId: NodeId, counters: CountersRead): Promise<void> {
    this.#running.set(nodeId, counters)
    await Promise.all([...this.#all].map((companion) => this.#tell(companion, nodeId, counters)))
  }

  /** A node that failed to start has had no beginning, and its end is not told. */
  ended(nodeId: NodeId): void {
    if (!this.#running.delete(nodeId)) return
    this.#eachTold('ended', (companion) => companion.ended(nodeId))
  }

  removed(nodeId: NodeId): void {
    this.#eachTold('removed', (companion) => companion.removed(nodeId))
  }

  shown(nodeId: NodeId, faults: readonly StandingFault[]): void {
    this.#eachTold('shown', (companion) => companion.shown(nodeId, faults))
  }

  /** Companions are told while nodes begin and end: an error of one of them must not stop that half-way. */
  #eachTold(what: keyof Companion, tell: (companion: Companion) => void): void {
    for (const companion of this.#all) told(what, () => tell(companion))
  }

  async #tell(companion: Companion, nodeId: NodeId, counters: CountersRead): Promise<void> {
    told('shown', () => companion.shown(nodeId, this.#faultsAt(nodeId)))
    await companion.began(nodeId, counters)
  }
}

function told(what: keyof Companion, tell: () => void): void {
  callForeign("a companion of a cluster's nodes", what, tell)
}
