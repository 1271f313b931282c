/** How a cluster on threads or inline is broken: what is refused there, and how a fault comes to the nodes and goes. */
import { checkFlag, checkOptions, quoted, RaftError } from '../errors/index.js'
import {
  type Breakable,
  type Cast,
  type ClockBounds,
  checkFault,
  clockBoundsOf,
  Dice,
  type EndTarget,
  type Fault,
  FaultMethods,
  Faults,
  type ForTime,
  isEnding,
  lineOf,
  Nemesis,
  nodesHit,
  resolveTarget,
  type StandingFault,
  type Target,
  toldOf,
} from '../faults/index.js'
import { Notice } from '../node/index.js'
import { type NodeId, Random } from '../raft/index.js'
import type { ClusterStory } from './cluster-story.js'
import type { Members } from './members.js'
import { limitsOf } from './node-options.js'
import type { ResolvedOptions } from './options.js'

/** A timer may end so much too early. */
const earlyMs = 2
const seedMax = 2 ** 32 - 1

export class Breaking implements Breakable {
  readonly methods: FaultMethods
  /** Within these no skew breaks a lease. `undefined`: no read rests on a lease. */
  readonly clockBounds: ClockBounds | undefined
  readonly #faults = new Faults(this)
  readonly #members: Members
  readonly #story: ClusterStory
  readonly #options: ResolvedOptions
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #random = new Random(crypto.getRandomValues(new Uint32Array(1))[0] ?? 1)

  constructor(members: Members, story: ClusterStory, options: ResolvedOptions) {
    this.#members = members
    this.#story = story
    this.#options = options
    this.methods = new FaultMethods(this.#faults, () => this.cast())
    this.clockBounds =
      options.reads === 'lease'
        ? clockBoundsOf(limitsOf(options), options.heartbeatIntervalMs, { earlyMs })
        : undefined
    // A process that has ended is not paused any more.
    members.onEnd = (nodeId) => void this.#faults.release([nodeId], ({ type }) => type === 'pause')
    // A node that cannot notice has ended.
    members.onAdded = () => void this.#faults.nodesChanged().catch(() => undefined)
    members.onRemoved = (nodeId) => this.#faults.gone(nodeId)
    members.faultsAt = (nodeId) => this.#faults.at(nodeId)
  }

  get nodeIds(): readonly NodeId[] {
    return this.#members.nodeIds
  }

  get leaderId(): NodeId | undefined {
    return this.#members.leaderId
  }

  get voters(): readonly NodeId[] {
    return this.#members.configuration?.membership.voters ?? this.nodeIds
  }

  get electionTimeoutMs(): number {
    return this.#options.electionTimeoutMs
  }

  now(): number {
    return Date.now()
  }

  later(ms: number, run: () => void): () => void {
    // A nemesis that is started behind the close never strikes.
    if (this.#members.isClosed) return () => undefined
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, ms)
    this.#timers.add(timer)
    return () => this.#end(timer)
  }

  #end(timer: NodeJS.Timeout): void {
    clearTimeout(timer)
    this.#timers.delete(timer)
  }

  check(fault: Fault): void {
    const { nodeIds, clockBounds } = this
    const { running } = this.#members
    const isUp = (nodeId: NodeId) => running.includes(nodeId)
    this.#members.checkOpen()
    checkFault(fault, { nodeIds, isUp, standing: this.#faults.standing, clockBounds })
    const why = this.#whyNotHere(fault)
    if (why !== undefined) throw new RaftError('INVALID_FAULT', { what: lineOf(fault, nodeIds), why })
  }

  show(nodeId: NodeId, faults: readonly StandingFault[]): Promise<void> {
    return this.#members.show(nodeId, faults)
  }

  stop(nodeId: NodeId, how: 'kill' | 'losePower'): Promise<void> {
    return this.#members.kill(nodeId, how)
  }

  bringBack(nodeId: NodeId): Promise<void> {
    return this.#members.bringBack(nodeId)
  }

  told(type: 'faultBegan' | 'faultHealed', standing: StandingFault, by: 'verb' | 'time'): void {
    const fault = toldOf(standing, this.nodeIds)
    this.#story.tell(0, type === 'faultBegan' ? { type, fault } : { type, fault, by })
  }

  nemesis(seed: number): Nemesis {
    this.#members.checkOpen()
    if (!(Number.isInteger(seed) && seed >= 0 && seed <= seedMax)) {
      const expected = `a whole number from 0 to ${seedMax}`
      throw new RaftError('INVALID_OPTION', { option: 'seed', expected, actual: quoted(seed) })
    }
    // Its faults end nodes, and all nodes are back once it has stopped.
    this.#checkHasDisk()
    return new Nemesis(this, this.#faults, new Dice(seed))
  }

  /** The nodes that were ended. */
  async kill(target: Target, options: ForTime): Promise<NodeId | readonly NodeId[]> {
    checkOptions('kill', options, ['forMs'])
    const nodes = this.nodesOf(target)
    for (const nodeId of nodes) this.#members.checkRuns(nodeId)
    if (options.forMs !== undefined) this.#checkHasDisk()
    await this.methods.kill(nodes, options)
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : nodes
  }

  /** A node that is started is not kept down any more. */
  async restart(target: Target, options: { readonly renew?: boolean }): Promise<void> {
    checkOptions('restart', options, ['renew'])
    const { renew = false } = options
    checkFlag('renew', renew)
    this.#members.checkOpen()
    const { running } = this.#members
    const down = this.nodeIds.filter((nodeId) => !running.includes(nodeId))
    const whyNone = down.length === 0 ? 'all nodes run already' : undefined
    const nodes = resolveTarget(target, { ...this.cast(down), whyNone })
    const isNamed = (nodeId: NodeId) => [target].flat().includes(nodeId)
    // A node that runs is refused before another one starts. A single node may still be losing its power: it waits.
    if (nodes.length > 1) for (const nodeId of nodes.filter(isNamed)) this.#members.checkDown(nodeId)
    await Promise.all(
      nodes.map(async (nodeId) => {
        // The end of a timed kill may start a node that a role means before its turn comes.
        if (isNamed(nodeId)) await this.#members.restart(nodeId, renew)
        else await this.#members.bringBack(nodeId, renew)
        await this.#faults.release([nodeId], isEnding)
      }),
    )
  }

  /** Heals all faults, those of a target, or those of a link. */
  heal(one: EndTarget | undefined, other: EndTarget | undefined): Promise<readonly StandingFault[]> {
    if (one === undefined) return this.methods.heal({ all: true })
    if (other === undefined) return this.methods.heal({ target: one as Target })
    return this.methods.heal({ link: { one, other, oneWay: false } })
  }

  /** The nodes that a target means, among those that run. */
  nodesOf(target: Target): readonly NodeId[] {
    this.#members.checkOpen()
    return resolveTarget(target, this.cast())
  }

  /** Roles mean the nodes that run and have started, or other candidates. */
  cast(candidates = this.#members.started): Cast {
    const { nodeIds, leaderId, voters } = this
    const { failures } = this.#members
    return { nodeIds, leaderId, failures, voters, candidates, random: this.#random }
  }

  /** Ends what is to happen later: the cluster ends. */
  close(): void {
    this.#faults.forget()
    // A nemesis that nobody has stopped strikes no more.
    for (const timer of this.#timers) this.#end(timer)
  }

  #whyNotHere(fault: Fault): string | undefined {
    if (fault.type === 'losePower') this.#checkHasDisk()
    if (fault.type === 'pause') {
      if (this.#options.host === 'inline')
        return 'the nodes of host inline share the thread of the program, which would freeze with them'
      const paused = fault.nodes.find((nodeId) => this.#isPaused(nodeId))
      if (paused !== undefined) return `node ${paused} is paused already`
      const starting = fault.nodes.find((nodeId) => this.#members.isStarting(nodeId))
      if (starting !== undefined) return `node ${starting} is just starting: pause it once it runs`
    }
    const added: StandingFault = { id: 0, fault, sinceMs: 0, untilMs: undefined }
    const crowded = nodesHit(fault, this.nodeIds).find(
      (nodeId) => !new Notice(this.#members.noticeFor(nodeId, [...this.#faults.at(nodeId), added])).fits,
    )
    return crowded === undefined ? undefined : `too many faults stand at node ${crowded}: heal some`
  }

  #isPaused(nodeId: NodeId): boolean {
    return this.#faults.at(nodeId).some(({ fault }) => fault.type === 'pause')
  }

  #checkHasDisk(): void {
    if (this.#options.durability === 'flush') return
    const expected = 'flush (a node without a disk forgets its vote, so it cannot be brought back)'
    throw new RaftError('INVALID_OPTION', { option: 'durability', expected, actual: 'none' })
  }
}
