/** Draws moments of the nodes' work, and ends or pauses the node that comes to one, or has it take a snapshot. */
import { RaftError } from '../errors/index.js'
import type { Dice } from '../faults/index.js'
import type { NodeId } from '../raft/index.js'
import type { SimulatedCluster } from './cluster.js'
import type { MomentName, Strike } from './moments.js'
import type { Plan } from './plan.js'

/** Moments that wait for a node at the same time. A rare moment waits long. */
const armedMax = 10
/** Moments to which a node comes once in a few seeds: half of the faults are kept for them, and strike the first node that comes. */
const rareMoments: readonly MomentName[] = [
  'truncationWriting',
  'truncationFlushed',
  'chunkWriting',
  'installWriting',
  'installFlushed',
  'restoring',
  'configurationWriting',
  'configurationFlushed',
  'jointEntered',
  'changeCommitted',
  'transferBegan',
  'takeOverLeft',
  'takeOverTaken',
  'steppedDown',
]
/** How long a node is away, in election timeouts. */
const awayTimeouts = [0.02, 0.3, 1] as const

export class Interrupter {
  readonly #cluster: SimulatedCluster
  readonly #dice: Dice
  readonly #plan: Plan
  #hasStopped = false

  /** Without the fault kind `crashes` nothing is interrupted. */
  constructor(cluster: SimulatedCluster, dice: Dice, plan: Plan) {
    this.#cluster = cluster
    this.#dice = dice
    this.#plan = plan
    if (plan.faults.includes('crashes') && plan.moments.length > 0) this.#next()
  }

  stop(): void {
    this.#hasStopped = true
    this.#cluster.world.moments.disarmAll()
  }

  #next(): void {
    this.#cluster.later(this.#dice.around(this.#plan.faultGapMs), () => {
      if (this.#hasStopped) return
      this.#arm()
      this.#next()
    })
  }

  #arm(): void {
    const { moments } = this.#cluster.world
    const rare = this.#plan.moments.filter((each) => rareMoments.includes(each))
    const moment = this.#dice.pick(this.#dice.chance(0.5) ? rare : this.#plan.moments)
    if (moment === undefined || moments.armedCount >= armedMax) return
    const how = this.#dice.pick<Strike>(['kill', 'losePower', 'losePower', 'pause', 'snapshot'])
    const passesLeft = rareMoments.includes(moment) ? 0 : this.#dice.pick([0, 0, 1, 6])
    moments.arm(moment, { how, passesLeft, struck: (nodeId) => this.#struck(nodeId, moment, how) })
  }

  #struck(nodeId: NodeId, moment: MomentName, how: Strike): void {
    const awayMs = this.#dice.around(this.#cluster.electionTimeoutMs * this.#dice.pick(awayTimeouts))
    this.#cluster.tell(`strikes node ${nodeId} at the moment ${moment}: ${how}`)
    if (how === 'pause') this.#cluster.later(0, () => this.#pause(nodeId, awayMs))
    else if (how === 'snapshot') this.#cluster.later(0, () => this.#wishForSnapshot(nodeId))
    else this.#cluster.later(awayMs, () => this.#cluster.restart(nodeId))
  }

  #wishForSnapshot(nodeId: NodeId): void {
    const { counts } = this.#cluster.world
    this.#cluster.node(nodeId).takeSnapshot((snapshot) => {
      if (snapshot !== undefined) counts.snapshotsWished++
    })
  }

  #pause(nodeId: NodeId, forMs: number): void {
    if (this.#hasStopped) return
    try {
      this.#cluster.faults.begin({ type: 'pause', nodes: [nodeId] }, forMs)
    } catch (error) {
      // The node has ended since, or was removed.
      if (!(error instanceof RaftError)) throw error
    }
  }
}
