/** A simulated client: one request at a time, to the node that it takes for the leader. */
import type { Dice } from '../faults/index.js'
import { type Outcome, RandomCalls } from '../proof/index.js'
import type { NodeId } from '../raft/index.js'
import { ClientSession } from './client-session.js'
import type { SimulatedCluster } from './cluster.js'
import type { Workload } from './plan.js'

/** A client that asks one node only, whether it leads or not. */
export interface Post {
  readonly nodeId: NodeId
  readonly isReader: boolean
}

/** Mean time between two requests of such a client. */
const postThinkMs = 10

/** Time before a client asks again after it was sent elsewhere, so that it does not do so all the time. */
const redirectMs = 10

export class SimulatedClient {
  readonly #cluster: SimulatedCluster
  readonly #dice: Dice
  readonly #load: Workload
  readonly #calls: RandomCalls
  readonly #post: Post | undefined
  readonly #session: ClientSession | undefined
  #leaderId: NodeId
  #hasStopped = false

  constructor(cluster: SimulatedCluster, dice: Dice, load: Workload, id: number, post?: Post) {
    this.#cluster = cluster
    this.#dice = dice
    this.#load = post === undefined ? load : loadAt(post, load)
    this.#calls = new RandomCalls(dice, this.#load, id)
    this.#post = post
    const { sessionMs, timeoutMs } = load
    if (post === undefined && sessionMs > 0)
      this.#session = new ClientSession(cluster, dice, sessionMs, timeoutMs)
    this.#leaderId = this.#anyNode()
    this.#next(this.#dice.around(this.#load.thinkMs))
  }

  stop(): void {
    this.#hasStopped = true
  }

  #next(delayMs: number): void {
    this.#cluster.world.time.after(1000 * delayMs, () => {
      if (!this.#hasStopped) this.#call()
    })
  }

  #call(): void {
    const call = this.#session?.isWaiting === true ? undefined : this.#calls.next()
    const isRoaming = this.#dice.chance(this.#load.roamingShare)
    const to = this.#post?.nodeId ?? (isRoaming ? this.#anyNode() : this.#leaderId)
    const told = (outcome: Outcome): void => this.#told(outcome)
    const { elsewhereShare } = this.#load
    if (call?.type === 'read' && elsewhereShare > 0 && this.#dice.chance(elsewhereShare)) {
      const type = this.#dice.pick(['readHere', 'readHere', 'staleRead'] as const)
      const where = this.#post?.nodeId ?? this.#anyNode()
      this.#cluster.send(where, type, call.commands, told, this.#load.timeoutMs)
    } else if (call !== undefined && (this.#session === undefined || call.type === 'read')) {
      this.#cluster.send(to, call.type, call.commands, told, this.#load.timeoutMs)
    } else {
      if (call !== undefined) this.#session?.call(call.commands)
      this.#session?.send(to, told)
    }
  }

  #told(outcome: Outcome): void {
    if (outcome.outcome === 'refused') {
      const { leaderId } = outcome
      this.#leaderId = leaderId !== undefined && leaderId > 0 ? leaderId : this.#anyNode()
      return this.#next(this.#dice.around(this.#post === undefined ? redirectMs : 2 * redirectMs))
    }
    if (outcome.outcome === 'unknown') this.#leaderId = this.#anyNode()
    this.#next(this.#dice.around(this.#load.thinkMs))
  }

  #anyNode(): NodeId {
    return this.#dice.pick(this.#cluster.nodeIds) ?? 1
  }
}

function loadAt({ isReader }: Post, load: Workload): Workload {
  return { ...load, thinkMs: postThinkMs, readShare: isReader ? 1 : 0, batchMax: 1 }
}
