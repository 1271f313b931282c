/**
 * A cluster in virtual time, for tests and for `simulate`: nodes, network, disks and clients in one thread,
 * where a second passes as fast as its events can be worked off. Nothing moves but in `run` and `until`.
 */

import {
  type Begun,
  bothWays,
  type ClockBounds,
  checkFault,
  clockBoundsOf,
  Dice,
  type Fault,
  Faults,
  isLinkFault,
  keepsDown,
  type Prey,
  type StandingFault,
  toldOf,
} from '../faults/index.js'
import { encode, writeGet, writePut } from '../machine/index.js'
import { type Call, History, membershipOf, type Outcome, Promises } from '../proof/index.js'
import type { Message, NodeId, RaftEvent, RaftLimits } from '../raft/index.js'
import { type Happening, readWaymarks, type Story } from '../telemetry/index.js'
import { type ClientRequest, cloneMessage, type Settlements } from '../transport/index.js'
import { Arrivals } from './arrivals.js'
import { Changer } from './changer.js'
import { nodeOptionsOf, type SimulatedClusterOptions } from './cluster-options.js'
import { deriveSeed, diceOf } from './dice.js'
import { Members } from './members.js'
import { calmNetwork, type DropRule, Network } from './network.js'
import { SimulatedNode } from './node.js'
import type { Surroundings } from './node-options.js'
import { Requests } from './requests.js'
import type { OfSession } from './script.js'
import { SimulationViolation, type Violation } from './violation.js'
import { newWorld, type World } from './world.js'

/** `both`: neither hears the other. `to`: the second no longer hears the first; `from`: the other way round. */
export type CutDirection = 'both' | 'to' | 'from'

export interface NodeEvent {
  readonly atMs: number
  readonly nodeId: NodeId
  readonly event: RaftEvent
}

/** The part of both ways of a link that a cut in this direction hits. */
const sliceOf = { both: [0, 2], to: [0, 1], from: [1, 2] } as const

const defaultTimeoutMs = 5000

export class SimulatedCluster implements Prey {
  readonly world: World
  readonly network: Network
  /** The nodes as they come and go. */
  readonly members: Members
  /** Changes of the members, and transfers, each carried out to its end. */
  readonly changer: Changer
  /** The faults that stand. More are begun here. */
  readonly faults = new Faults(this)
  readonly clockBounds: ClockBounds | undefined
  readonly limits: RaftLimits
  readonly tickMs: number
  /** Events that the nodes' protocols told of themselves, with reasons. */
  readonly events: NodeEvent[] = []
  readonly #requests: Requests
  readonly #arrivals: Arrivals

  constructor(options: SimulatedClusterOptions = {}) {
    const membership = membershipOf(Array.from({ length: options.nodes ?? 3 }, (_, at) => at + 1))
    const ofAllNodes = nodeOptionsOf(options, membership)
    const { seed, tickMs, limits, reads, clockDrift: ownDrift } = ofAllNodes
    this.tickMs = tickMs
    this.limits = limits
    this.clockBounds = reads === 'lease' ? clockBoundsOf(limits, tickMs, { ownDrift }) : undefined
    const dice = (part: number, ...names: number[]): Dice => new Dice(deriveSeed(seed, part, ...names))
    const all: SimulatedNode[] = []
    this.world = newWorld(options, membership, all)
    const { checker, counts } = this.world
    const promises = new Promises(checker)
    const make = (id: NodeId): SimulatedNode => {
      const [nodeDice, diskDice] = [dice(diceOf.node, id), dice(diceOf.disk, id)]
      const priority = options.neverLeading?.includes(id) ? 0 : 1
      const ofNode = { ...ofAllNodes, id, priority }
      return new SimulatedNode(ofNode, this.world, surroundings, promises, nodeDice, diskDice)
    }
    this.members = new Members(this.world, this, all, make)
    this.changer = new Changer(this.members, this.until.bind(this))
    this.#arrivals = new Arrivals(this.nodeIds, this.world, (end) => dice(diceOf.faults, end))
    const deliver = (message: Message): void => this.node(message.to).deliver(message)
    const conditions = { ...calmNetwork, ...options.network }
    const arrive = (message: Message): void => this.#arrivals.message(message, deliver)
    this.network = new Network(this.world, dice(diceOf.network), conditions, arrive, options.carry)
    this.#requests = new Requests(
      this.world,
      dice(diceOf.client),
      new History(checker, counts, () => this.nodes.map(({ id, clock }) => [id, clock.shownMs])),
      this.#arrivals,
      this.#ask.bind(this),
      options.clientWayMs ?? 0.1,
    )
    const surroundings = this.#surroundings()
    for (const _ of membership.voters) this.members.add()
    for (const node of this.nodes) node.start()
  }

  /** The nodes that are there, members or not. */
  get nodes(): readonly SimulatedNode[] {
    return this.members.present
  }

  get nodeIds(): readonly NodeId[] {
    return this.members.ids
  }

  get nowMs(): number {
    return this.world.time.nowMs
  }

  get violation(): Violation | undefined {
    return this.world.findings.first
  }

  /** All that is known about the run until now, as a cluster on threads tells it. Times count from its begin. */
  story(): Story {
    return {
      nodeIds: this.members.all.map(({ id }) => id),
      heartbeatIntervalMs: this.heartbeatIntervalMs,
      electionTimeoutMs: this.electionTimeoutMs,
      tickMs: this.tickMs,
      configuration: this.world.chronicle.configuration,
      happened: this.world.chronicle.happened,
      ...readWaymarks(this.members.all.map(({ id, story }) => [id, story.waymarks])),
      askedMs: this.nowMs,
    }
  }

  get fingerprint(): string {
    return this.world.fingerprint.hex
  }

  /** Requests that were taken by a node that still lives, and not answered. */
  get unanswered(): Call[] {
    return this.#requests.unanswered
  }

  node(id: NodeId): SimulatedNode {
    return this.members.node(id)
  }

  /** The node that leads in the latest term, among those that run. */
  get leader(): SimulatedNode | undefined {
    let leader: SimulatedNode | undefined
    for (const node of this.nodes) {
      if (!node.isRunning || node.state?.role !== 'leader') continue
      if (leader === undefined || node.state.currentTerm > (leader.state?.currentTerm ?? 0)) leader = node
    }
    return leader
  }

  /** Lets time pass, up to the first violation; false if there is one. */
  advance(ms: number): boolean {
    const { time } = this.world
    const untilUs = time.nowUs + Math.round(1000 * ms)
    while (this.world.findings.first === undefined && time.step(untilUs)) {
      // All work is in the condition.
    }
    return this.world.findings.first === undefined
  }

  /** Lets time pass. Throws what is found to be wrong meanwhile. */
  run(ms: number): void {
    this.advance(ms)
    this.#throwViolation()
  }

  /** Lets time pass until the condition holds, and tells how long that took. Throws when it does not within `maxMs`. */
  until(condition: () => boolean, maxMs = 10_000): number {
    const { time } = this.world
    const startMs = time.nowMs
    const untilUs = time.nowUs + Math.round(1000 * maxMs)
    while (!condition()) {
      const isMore = time.step(untilUs)
      this.#throwViolation()
      if (!isMore && !condition()) {
        const last = this.world.tracer.last().join('\n')
        throw new Error(`it did not come about within ${maxMs} ms of virtual time\n${last}`)
      }
    }
    return time.nowMs - startMs
  }

  /** Lets time pass until there is a leader that knows what is committed. */
  awaitLeader(maxMs = 10_000): SimulatedNode {
    this.until(() => {
      const { log, currentTerm } = this.leader?.state ?? {}
      return log !== undefined && log.termAt(log.commitIndex) === currentTerm
    }, maxMs)
    const { leader } = this
    if (leader === undefined) throw new Error('there is no leader')
    return leader
  }

  /** Sends a request to one node; `done` is called once. Returns the call, for copies of it in its session. */
  send(
    nodeId: NodeId,
    type: ClientRequest['type'],
    commands: readonly Uint8Array[],
    done: (outcome: Outcome) => void,
    timeoutMs = defaultTimeoutMs,
    ofSession?: OfSession,
  ): Call {
    return this.#requests.send(nodeId, type, commands, timeoutMs, done, ofSession)
  }

  /** Brings a copy of a message that `carry` took to its node. */
  bring(message: Message): void {
    const copy = cloneMessage(message)
    this.world.mail.repeated(message, copy)
    this.node(message.to).deliver(copy)
  }

  /** Proposes a put, and lets time pass until its outcome is known. To the leader, unless a node is named. */
  put(key: string, value: string, nodeId?: NodeId): Outcome {
    return this.#ended('propose', encode(writePut, key, value), nodeId)
  }

  /** Reads a key, and lets time pass until its outcome is known. To the leader, unless a node is named. */
  get(key: string, nodeId?: NodeId): Outcome {
    return this.#ended('read', encode(writeGet, key), nodeId)
  }

  /** Cuts a link, in one direction or in both. */
  cut(one: NodeId, other: NodeId, { direction = 'both' }: { direction?: CutDirection } = {}): Begun {
    const ways = bothWays(one, other)
    return this.faults.begin({ type: 'cut', ways: ways.slice(...sliceOf[direction]) })
  }

  partition(...groups: readonly (readonly NodeId[])[]): Begun {
    return this.faults.begin({ type: 'partition', groups })
  }

  /** Heals all links. */
  healLinks(): void {
    void this.faults.heal(({ fault }) => isLinkFault(fault))
  }

  /** Loses the messages for which the rule is true, until the answer is called. */
  drop(rule: DropRule): () => void {
    return this.network.drop(rule)
  }

  losePower(id: NodeId): Begun {
    return this.faults.begin({ type: 'losePower', nodes: [id] })
  }

  /** Heals what keeps the node down, and starts it. */
  restart(id: NodeId): void {
    const isKeptDown = this.faults.at(id).some(({ fault }) => keepsDown(fault))
    if (isKeptDown) void this.faults.release([id], keepsDown)
    else this.bringBack(id)
  }

  pause(id: NodeId): Begun {
    return this.faults.begin({ type: 'pause', nodes: [id] })
  }

  stallDisk(id: NodeId): Begun {
    return this.faults.begin({ type: 'stallDisk', nodes: [id] })
  }

  /** The next flush fails. */
  failDisk(id: NodeId): Begun {
    return this.faults.begin({ type: 'failDisk', nodes: [id] })
  }

  get leaderId(): NodeId | undefined {
    return this.leader?.id
  }

  get voters(): readonly NodeId[] {
    return this.members.configuration?.membership.voters ?? this.nodeIds
  }

  get heartbeatIntervalMs(): number {
    return this.tickMs * this.limits.heartbeatTicks
  }

  get electionTimeoutMs(): number {
    return this.limits.electionTimeoutTicks * this.tickMs
  }

  now(): number {
    return this.nowMs
  }

  later(ms: number, run: () => void): () => void {
    let isDue = true
    this.world.time.after(1000 * ms, () => {
      if (isDue) run()
    })
    return () => {
      isDue = false
    }
  }

  check(fault: Fault): void {
    const isUp = (id: NodeId): boolean => this.node(id).isUp
    checkFault(fault, {
      nodeIds: this.nodeIds,
      isUp,
      standing: this.faults.standing,
      clockBounds: this.clockBounds,
    })
  }

  show(id: NodeId, standing: readonly StandingFault[]): undefined {
    this.node(id).set(standing)
    this.#arrivals.set(id, standing, this.faults.standing)
  }

  stop(id: NodeId, how: 'kill' | 'losePower'): undefined {
    this.node(id).stop(how)
  }

  bringBack(id: NodeId): undefined {
    const node = this.node(id)
    if (!this.members.isPresent(id)) return
    // A disk that failed just now stops its node in a later turn.
    if (node.disk.hasFailed) node.stop('kill')
    if (node.isUp) return
    this.world.counts.restarts++
    node.start()
    this.show(id, this.faults.at(id))
  }

  told(what: 'faultBegan' | 'faultHealed', standing: StandingFault, by: 'verb' | 'time'): void {
    this.world.script?.fault(what, standing)
    const fault = toldOf(standing, this.nodeIds)
    this.tell(`${what === 'faultBegan' ? 'begins' : 'heals'}: ${fault.line}`)
    const happening: Happening = what === 'faultBegan' ? { type: what, fault } : { type: what, fault, by }
    this.world.chronicle.tell(0, happening, this.nowMs)
  }

  tell(what: string): void {
    this.world.tracer.record(0, { type: 'told', what })
  }

  #surroundings(): Surroundings {
    const { counts, time } = this.world
    return {
      send: this.network.send.bind(this.network),
      taken: this.#requests.taken.bind(this.#requests),
      settle: (nodeId: NodeId, settlements: Settlements) => {
        // An answer may tell of an entry that a voter without others has committed in this very turn.
        this.world.checker.observe(this.node(nodeId))
        this.#requests.settle(nodeId, settlements)
      },
      observe: (nodeId: NodeId, event: RaftEvent) => {
        this.events.push({ atMs: time.nowMs, nodeId, event })
        if (event.type === 'transferEnded') counts[event.isDone ? 'transfersDone' : 'transfersGivenUp']++
      },
      stopped: (nodeId: NodeId) => {
        this.#requests.stopped(nodeId)
        this.members.stopped(nodeId)
      },
    }
  }

  #ask(id: NodeId, request: ClientRequest): boolean {
    const node = this.node(id)
    if (node.isUp) node.ask(request)
    return node.isUp
  }

  #ended(type: ClientRequest['type'], command: Uint8Array, nodeId: NodeId | undefined): Outcome {
    const to = nodeId ?? this.awaitLeader().id
    let ended: Outcome | undefined
    this.send(to, type, [command], (outcome) => {
      ended = outcome
    })
    this.until(() => ended !== undefined, 2 * defaultTimeoutMs)
    return ended ?? { outcome: 'unknown', why: 'nothing was heard' }
  }

  #throwViolation(): void {
    if (this.world.findings.first !== undefined) throw new SimulationViolation(this.world.findings.first)
  }
}
