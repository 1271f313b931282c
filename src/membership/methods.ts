/** The methods by which the members of a cluster of any host are changed: targets become nodes, and procedures promises. */
import { checkFlag, checkOptions, quoted, RaftError } from '../errors/index.js'
import { type Cast, resolveTarget, type Target } from '../faults/index.js'
import type { Configuration, MembershipChange, NodeId } from '../raft/index.js'
import type { Changeable } from './changeable.js'
import { carryOut, type Procedure } from './procedure.js'
import {
  addNode,
  changeMembership,
  removeNodes,
  replaceNode,
  stopNodes,
  transferLeadership,
} from './procedures.js'

export interface WithinTime {
  /**
   * Milliseconds until the call is given up, 1 to 3,600,000. Default: a minute, and for a transfer that of other calls.
   * A request that was sent by then and not answered has an unknown outcome. The wait for the next leader may take two
   * election timeouts more.
   */
  readonly withinMs?: number
}

export interface AddOptions extends WithinTime {
  /** The node stays a learner: it holds the log and has no vote. Default false. */
  readonly learner?: boolean
}

export interface RemoveOptions extends WithinTime {
  /** The node's folder stays in the cluster's directory. Default false: it is removed. */
  readonly keep?: boolean
}

/** A node may have much to catch up with, and one change waits for another. */
const changeMs = 60_000
const withinMsMax = 3_600_000

/**
 * Each method rejects with a `RaftError`: `INVALID_CHANGE` where the change does not fit, which has then changed nothing,
 * `NOT_CHANGED` at the deadline, and `UNKNOWN_OUTCOME` where nobody knows.
 */
export class MembershipMethods {
  readonly #cluster: Changeable
  readonly #cast: () => Cast
  readonly #callMs: number

  /** `cast` tells who is there now; `callMs` is how long a call may take. */
  constructor(cluster: Changeable, cast: () => Cast, callMs: number) {
    this.#cluster = cluster
    this.#cast = cast
    this.#callMs = callMs
  }

  async addNode(options: AddOptions = {}): Promise<NodeId> {
    checkOptions('addNode', options, ['learner', 'withinMs'])
    const { learner = false } = options
    checkFlag('learner', learner)
    return this.#run(addNode(this.#cluster, { learner, withinMs: within(options, changeMs) }))
  }

  async removeNode(target: Target, options: RemoveOptions = {}): Promise<readonly NodeId[]> {
    checkOptions('removeNode', options, ['keep', 'withinMs'])
    const { keep = false } = options
    checkFlag('keep', keep)
    const nodeIds = this.#resolved(target)
    await this.#run(removeNodes(this.#cluster, nodeIds, { keep, withinMs: within(options, changeMs) }))
    return nodeIds
  }

  async replaceNode(target: Target, options: RemoveOptions = {}): Promise<NodeId> {
    checkOptions('replaceNode', options, ['keep', 'withinMs'])
    const { keep = false } = options
    checkFlag('keep', keep)
    const nodeId = this.#one('replacing', target)
    return this.#run(replaceNode(this.#cluster, nodeId, { keep, withinMs: within(options, changeMs) }))
  }

  async promote(target: Target, options: WithinTime = {}): Promise<NodeId> {
    checkOptions('promote', options, ['withinMs'])
    const nodeId = this.#one('promoting', target)
    const changes = [{ type: 'promote', nodeId }] as const
    await this.#run(changeMembership(this.#cluster, changes, { withinMs: within(options, changeMs) }))
    return nodeId
  }

  async demote(target: Target, options: WithinTime = {}): Promise<NodeId> {
    checkOptions('demote', options, ['withinMs'])
    const nodeId = this.#one('demoting', target)
    const changes = [{ type: 'demote', nodeId }] as const
    await this.#run(changeMembership(this.#cluster, changes, { withinMs: within(options, changeMs) }))
    return nodeId
  }

  async changeMembership(
    changes: readonly MembershipChange[],
    options: WithinTime = {},
  ): Promise<Configuration> {
    checkOptions('changeMembership', options, ['withinMs'])
    const known = changesOf(changes)
    for (const { nodeId } of known) checkId(nodeId)
    const { nodeIds } = this.#cast()
    const unknown = known.find(({ type, nodeId }) => type === 'addLearner' && !nodeIds.includes(nodeId))
    if (unknown !== undefined) {
      const why = `there is no node ${unknown.nodeId} to be added; addNode starts one`
      throw new RaftError('INVALID_CHANGE', { what: 'changing the members', why })
    }
    return this.#run(changeMembership(this.#cluster, known, { withinMs: within(options, changeMs) }))
  }

  async transfer(to?: Target, options: WithinTime = {}): Promise<NodeId> {
    checkOptions('transfer', options, ['withinMs'])
    const nodeId = to === undefined ? undefined : this.#one('the transfer', to)
    return this.#run(transferLeadership(this.#cluster, nodeId, { withinMs: within(options, this.#callMs) }))
  }

  /** Ends nodes that run. A leader among them hands over first, to a voter that goes on. */
  async stop(target: Target): Promise<readonly NodeId[]> {
    const cast = this.#cast()
    const nodeIds = resolveTarget(target, cast)
    const { candidates: running, voters = cast.nodeIds } = cast
    for (const nodeId of nodeIds) this.#cluster.checkRuns(nodeId)
    const others = running.filter((nodeId) => voters.includes(nodeId) && !nodeIds.includes(nodeId))
    await this.#run(stopNodes(this.#cluster, nodeIds, others))
    return nodeIds
  }

  #run<Outcome>(procedure: Procedure<Outcome>): Promise<Outcome> {
    this.#cluster.checkOpen()
    return new Promise((resolve, reject) =>
      carryOut(procedure, (result) => {
        if (result.ok) resolve(result.value)
        else reject(new RaftError(result.code, result.details))
      }),
    )
  }

  #one(what: string, target: Target): NodeId {
    const [nodeId, ...others] = this.#resolved(target)
    if (nodeId !== undefined && others.length === 0) return nodeId
    throw new RaftError('INVALID_CHANGE', { what, why: 'name one node at a time' })
  }

  /** Nodes that are down are members as well. */
  #resolved(target: Target): readonly NodeId[] {
    const cast = this.#cast()
    return resolveTarget(target, { ...cast, candidates: cast.nodeIds })
  }
}

function within({ withinMs }: WithinTime, otherwise: number): number {
  if (withinMs === undefined) return otherwise
  if (Number.isInteger(withinMs) && withinMs >= 1 && withinMs <= withinMsMax) return withinMs
  const expected = `a whole number from 1 to ${withinMsMax}`
  throw new RaftError('INVALID_OPTION', { option: 'withinMs', expected, actual: quoted(withinMs) })
}

function checkId(nodeId: unknown): void {
  if (typeof nodeId === 'number') return
  const why = `a node's id is a whole number above 0, not ${quoted(nodeId)}`
  throw new RaftError('INVALID_CHANGE', { what: 'changing the members', why })
}

const types: readonly string[] = ['addLearner', 'promote', 'demote', 'remove']

/** The changes of a caller without a compiler, in a list of our own. */
function changesOf(changes: unknown): MembershipChange[] {
  const isChange = (change: MembershipChange | null) =>
    typeof change === 'object' && change !== null && types.includes(change.type)
  if (Array.isArray(changes) && changes.every(isChange))
    return changes.map(({ type, nodeId }: MembershipChange) => ({ type, nodeId }))
  const why = `it takes a list such as [{ type: 'promote', nodeId: 4 }], with the types ${types.join(', ')}`
  throw new RaftError('INVALID_CHANGE', { what: 'changing the members', why })
}
