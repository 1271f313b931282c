/** An operator's calls on the members of a simulated cluster. Time passes until each call has ended. */
import { type Result, unwrap } from '../errors/index.js'
import {
  addNode,
  type Changeable,
  carryOut,
  changeMembership,
  type Procedure,
  removeNodes,
  replaceNode,
  transferLeadership,
} from '../membership/index.js'
import type { Configuration, MembershipChange, NodeId } from '../raft/index.js'

const withinMs = 10_000
const within = { withinMs, keep: true }

/** Each method throws the `RaftError` that the same method of a cluster on threads rejects with. */
export class Changer {
  readonly #cluster: Changeable
  readonly #until: (condition: () => boolean, maxMs: number) => unknown

  /** `until` lets time pass until the condition holds. */
  constructor(cluster: Changeable, until: (condition: () => boolean, maxMs: number) => unknown) {
    this.#cluster = cluster
    this.#until = until
  }

  /** Adds a node with a new id and an empty disk. With `learner` it gets no vote. */
  addNode({ learner = false }: { readonly learner?: boolean } = {}): NodeId {
    return this.#ended(addNode(this.#cluster, { learner, withinMs }))
  }

  removeNode(...nodeIds: readonly NodeId[]): void {
    this.#ended(removeNodes(this.#cluster, nodeIds, within))
  }

  replaceNode(nodeId: NodeId): NodeId {
    return this.#ended(replaceNode(this.#cluster, nodeId, within))
  }

  promote(nodeId: NodeId): Configuration {
    return this.changeMembership([{ type: 'promote', nodeId }])
  }

  demote(nodeId: NodeId): Configuration {
    return this.changeMembership([{ type: 'demote', nodeId }])
  }

  changeMembership(changes: readonly MembershipChange[]): Configuration {
    return this.#ended(changeMembership(this.#cluster, changes, within))
  }

  /** The node that leads then. */
  transfer(to?: NodeId): NodeId {
    return this.#ended(transferLeadership(this.#cluster, to, within))
  }

  #ended<Outcome>(procedure: Procedure<Outcome>): Outcome {
    const ends: Result<Outcome>[] = []
    carryOut(procedure, (result) => void ends.push(result))
    this.#until(() => ends.length > 0, 4 * withinMs)
    const [end] = ends
    if (end === undefined) throw new Error('a procedure ends within its time')
    return unwrap(end)
  }
}
