/**
 * A run of whole nodes, act by act: driver, store, state machine, clock and clients are those of the simulator, and so are
 * its checks. Messages arrive, clients ask and time passes by an act alone. Writes are flushed at once, unless the disk is
 * stalled.
 */
import { RaftError } from '../errors/index.js'
import type { Message, NodeId } from '../raft/index.js'
import type { Violation } from '../search/index.js'
import { SimulatedCluster, type SimulatedClusterOptions, type SimulatedNode } from '../sim/index.js'
import { carriedTypeOf, type Happened } from '../telemetry/index.js'
import type { TakeMessage } from './acts.js'
import type { Struck, WholeAct } from './whole-acts.js'
import { type Answer, WholeClients } from './whole-clients.js'
import type { WholeWorld } from './whole-world.js'

/** An act that was taken, and the outcome. */
export interface WholePlayed {
  readonly act: WholeAct
  /** The message that the node took. */
  readonly taken: Message | undefined
  readonly sent: readonly Message[]
  readonly happened: readonly Happened[]
  readonly answers: readonly Answer[]
}

/** No log outgrows its bound: snapshots are taken by acts. */
const bounds = { logBytesMax: 1 << 30, trailingBytes: 0 }

function optionsOf({ voters, looksAtStates: _, ...ofNodes }: WholeWorld): SimulatedClusterOptions {
  return {
    ...ofNodes,
    nodes: voters,
    bounds,
    turnMs: 0,
    clientWayMs: 0,
    disk: { flushMs: 0, flushJitterMs: 0 },
  }
}

export class WholeScene {
  readonly played: WholePlayed[] = []
  readonly #cluster: SimulatedCluster
  readonly #clients: WholeClients
  readonly #looksAtStates: boolean
  readonly #sent = new Map<number, readonly Message[]>()
  /** How far each node had applied its log when its state was last compared with the model. */
  readonly #reached = new Map<NodeId, string>()
  /** Since the last act. */
  #carried: Message[] = []
  #happened: Happened[] = []

  constructor(world: WholeWorld) {
    this.#cluster = new SimulatedCluster({
      ...optionsOf(world),
      carry: (message) => this.#carried.push(message),
      happened: (event) => this.#happened.push(event),
    })
    this.#clients = new WholeClients(this.#cluster)
    this.#looksAtStates = world.looksAtStates
    this.#cluster.advance(0)
  }

  get broken(): Violation | undefined {
    const { violation } = this.#cluster
    return violation && { rule: violation.rule, detail: violation.detail }
  }

  get nowMs(): number {
    return this.#cluster.nowMs
  }

  get tickMs(): number {
    return this.#cluster.tickMs
  }

  get electionTimeoutTicks(): number {
    return this.#cluster.limits.electionTimeoutTicks
  }

  /** Whether the node runs, and neither leads nor wants to. */
  follows(node: NodeId): boolean {
    return this.#cluster.members.all[node - 1]?.state?.role === 'follower'
  }

  /** `undefined`: the act is skipped. Its message was never sent, its session never began, or its node or fault cannot be. */
  play(act: WholeAct): WholePlayed | undefined {
    const { deed } = act
    // A node that another act would have launched is not there where that act was left out.
    if (deed.type !== 'launch' && act.node > this.#cluster.members.all.length) return undefined
    const taken = deed.type === 'take' ? this.#messageOf(act.node, deed) : undefined
    this.#carried = []
    this.#happened = []
    if (act.struck !== undefined) this.#arm(act.struck)
    const isTaken = deed.type === 'take' ? this.#brings(taken) : this.#does(act)
    if (isTaken) this.#settles()
    this.#cluster.world.moments.disarmAll()
    if (!isTaken) return undefined
    const answers = this.#clients.takeAnswers()
    const played = { act, taken, sent: this.#carried, happened: this.#happened, answers }
    this.#sent.set(act.id, played.sent)
    this.played.push(played)
    return played
  }

  #messageOf(node: NodeId, { of, kind, nth }: TakeMessage): Message | undefined {
    const sent = (this.#sent.get(of) ?? []).filter(
      (message) => message.to === node && carriedTypeOf(message) === kind,
    )
    return sent[Math.min(nth, sent.length - 1)]
  }

  #brings(message: Message | undefined): boolean {
    if (message !== undefined) this.#cluster.bring(message)
    return message !== undefined
  }

  /** False: the act cannot be taken here, and nothing has changed. */
  #does({ id, node, deed }: WholeAct): boolean {
    const cluster = this.#cluster
    const { length: nodes } = cluster.members.all
    switch (deed.type) {
      case 'take':
        return false
      case 'pass':
        cluster.advance(deed.ms)
        return true
      case 'timeOut':
        this.#timesOut(node)
        return true
      case 'snapshot':
        cluster.node(node).takeSnapshot(() => undefined)
        return true
      case 'crash':
        cluster.node(node).stop(deed.how)
        return true
      case 'launch':
        if (node === nodes + 1) cluster.members.launch(() => undefined)
        return node === nodes + 1
      case 'change':
        cluster.node(node).operate((driver) => driver.changeMembership(deed.changes, () => undefined))
        return true
      case 'transfer':
        cluster.node(node).operate((driver) => driver.transfer(deed.to, () => undefined))
        return true
      case 'stall':
        return begins(() => cluster.stallDisk(node))
      case 'flush':
        return this.#flushes(node)
      case 'pause':
        return begins(() => cluster.pause(node))
      case 'resume':
        void cluster.faults.release([node], ({ type }) => type === 'pause')
        return true
      case 'skew':
        return begins(() => {
          void cluster.faults.release([node], ({ type }) => type === 'skew')
          const { offsetMs, drift } = deed
          if (offsetMs !== 0 || drift !== 0)
            cluster.faults.begin({ type: 'skew', nodes: [node], offsetMs, drift })
        })
      default:
        return this.#clients.ask(id, node, deed)
    }
  }

  /** False: the disk holds no writes back. */
  #flushes(node: NodeId): boolean {
    const cluster = this.#cluster
    const isStalled = cluster.node(node).disk.isStalled
    void cluster.faults.release([node], ({ type }) => type === 'stallDisk')
    if (isStalled) cluster.stallDisk(node)
    return isStalled
  }

  #timesOut(node: NodeId): void {
    const cluster = this.#cluster
    const isOver = (): boolean =>
      this.#happened.some(({ type, nodeId }) => type === 'role' && nodeId === node)
    for (let tick = 0; tick <= 2 * this.electionTimeoutTicks && !isOver(); tick++)
      if (!cluster.advance(cluster.tickMs)) return
  }

  #arm({ moment, how }: Struck): void {
    this.#cluster.world.moments.arm(moment, { how, passesLeft: 0, struck: () => undefined })
  }

  /** All that the act leads to at once happens, and the states of the nodes are compared with the model. */
  #settles(): void {
    const cluster = this.#cluster
    cluster.advance(0)
    for (const node of cluster.nodes) {
      if (this.broken !== undefined) return
      if (!node.isUp) cluster.bringBack(node.id)
    }
    cluster.advance(0)
    if (this.#looksAtStates) for (const node of cluster.nodes) this.#looksAt(node)
  }

  #looksAt(node: SimulatedNode): void {
    const { id, incarnation, state } = node
    const reached = `${incarnation} ${state?.log.lastApplied}`
    if (this.broken !== undefined || this.#reached.get(id) === reached) return
    this.#reached.set(id, reached)
    node.checkState()
  }
}

/** False for a fault that the cluster refuses: it stands already, or its clock could break a lease. */
function begins(fault: () => unknown): boolean {
  try {
    fault()
    return true
  } catch (error) {
    if (!(error instanceof RaftError)) throw error
    return false
  }
}

/** Takes the acts in their order, up to the first property that does not hold. */
export function performWhole(world: WholeWorld, acts: readonly WholeAct[]): WholeScene {
  const scene = new WholeScene(world)
  for (const act of acts) {
    if (scene.broken !== undefined) break
    scene.play(act)
  }
  return scene
}
