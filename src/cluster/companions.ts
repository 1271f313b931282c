/** Parts of a program that go with the nodes of a cluster, such as listening ports. */
import type { StandingFault } from '../faults/index.js'
import type { NodeId } from '../raft/index.js'
import type { Counters } from '../telemetry/index.js'

/** The numbers of a node in all its lives, read from shared memory. */
export type CountersRead = Pick<Counters, 'get'>

/** Each method is called in the turn in which the thing happens. */
export interface Companion {
  /** The node runs. The call that started it resolves after the promise. */
  began(nodeId: NodeId, counters: CountersRead): Promise<void>
  /** The node does not run any more, however it ended. A node that failed to start ends without a beginning. */
  ended(nodeId: NodeId): void
  /** The node has left the cluster for good. */
  removed(nodeId: NodeId): void
  /** From now on exactly these faults stand at the node, in all of its lives. */
  shown(nodeId: NodeId, faults: readonly StandingFault[]): void
}

export class Companions {
  readonly #all = new Set<Companion>()

  /** Returns the end of it. */
  add(companion: Companion): () => void {
    this.#all.add(companion)
    return () => void this.#all.delete(companion)
  }

  async began(nodeId: NodeId, counters: CountersRead): Promise<void> {
    for (const companion of this.#all) await companion.began(nodeId, counters)
  }

  ended(nodeId: NodeId): void {
    for (const companion of this.#all) companion.ended(nodeId)
  }

  removed(nodeId: NodeId): void {
    for (const companion of this.#all) companion.removed(nodeId)
  }

  shown(nodeId: NodeId, faults: readonly StandingFault[]): void {
    for (const companion of this.#all) companion.shown(nodeId, faults)
  }
}
