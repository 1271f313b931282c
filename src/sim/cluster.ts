/**
 * A cluster in virtual time, for tests and for `simulate`: nodes, network, disks and clients in one thread,
 * where a second passes as fast as its events can be worked off. Nothing moves but in `run` and `until`.
 */

import type { ReadConfirmation } from '../driver/index.js'
import { Dice } from '../faults/index.js'
import {
  createKv,
  encode,
  type MachineFactory,
  resultBytesMaxDefault,
  writeGet,
  writePut,
} from '../machine/index.js'
import {
  type Call,
  Checker,
  History,
  membershipOf,
  type Outcome,
  Promises,
  Questions,
  type Witness,
} from '../proof/index.js'
import {
  defaultLimits,
  defaultLogBounds,
  type LogBounds,
  type NodeId,
  type RaftEvent,
  type RaftLimits,
} from '../raft/index.js'
import { Chronicle, readWaymarks, Sequence, type Story } from '../telemetry/index.js'
import type { ClientRequest } from '../transport/index.js'
import { noCounts } from './counts.js'
import { describeLink } from './describe.js'
import { deriveSeed, diceOf } from './dice.js'
import { Fingerprint } from './fingerprint.js'
import { calmNetwork, type DropRule, Network, type NetworkConditions } from './network.js'
import { SimulatedNode } from './node.js'
import type { DiskConditions } from './node-disk.js'
import { Requests } from './requests.js'
import { Tracer } from './tracer.js'
import { Findings, SimulationViolation, type Violation } from './violation.js'
import { VirtualTime } from './virtual-time.js'
import type { World } from './world.js'

export interface SimulatedClusterOptions {
  /** Decides everything that is left to chance. Default 1. */
  readonly seed?: number
  /** How many nodes; their ids are 1 to this. Default 3. */
  readonly nodes?: number
  readonly limits?: Partial<RaftLimits>
  readonly bounds?: LogBounds
  /** Bytes of results after which a node ends a turn, and answers a request in part. Default 1 MiB. */
  readonly resultBytesMax?: number
  /** Virtual milliseconds between two ticks of a node. Default 10. */
  readonly tickMs?: number
  /** Default `lease`. */
  readonly reads?: ReadConfirmation
  /** By how much of itself a node's clock may be slow or fast. Default 0.03. */
  readonly clockDrift?: number
  /** Longest time from a message's arrival to the turn that takes it. Default 0.1 ms. */
  readonly turnMs?: number
  readonly network?: Partial<NetworkConditions>
  readonly disk?: Partial<DiskConditions>
  /** Snapshots are written in pieces of about this many bytes. Default 1024. */
  readonly snapshotPieceBytes?: number
  /** Default: the built-in key-value machine, as which any other must answer. */
  readonly createMachine?: MachineFactory
  /** Called with a line for each thing that happens. */
  readonly trace?: (line: string) => void
  /** Called with the lines of a recording of all that the nodes' protocols are told. */
  readonly record?: (line: string) => void
}

/** `both`: neither hears the other. `to`: the second no longer hears the first; `from`: the other way round. */
export type CutDirection = 'both' | 'to' | 'from'

export interface NodeEvent {
  readonly atMs: number
  readonly nodeId: NodeId
  readonly event: RaftEvent
}

const defaultDisk: DiskConditions = { flushMs: 0.5, flushJitterMs: 0.3 }
const defaultTimeoutMs = 5000

export class SimulatedCluster {
  readonly world: World
  readonly network: Network
  readonly nodes: readonly SimulatedNode[]
  readonly limits: RaftLimits
  readonly tickMs: number
  /** What the nodes' protocols told of themselves, with reasons. */
  readonly events: NodeEvent[] = []
  readonly #findings: Findings
  readonly #requests: Requests

  constructor(options: SimulatedClusterOptions = {}) {
    const { seed = 1, nodes: nodeCount = 3, tickMs = 10, turnMs = 0.1, bounds = defaultLogBounds } = options
    this.tickMs = tickMs
    this.limits = { ...defaultLimits, ...options.limits }
    const time = new VirtualTime()
    const tracer = new Tracer(time, options.trace)
    const counts = noCounts()
    this.#findings = new Findings(time, tracer)
    const nodes: SimulatedNode[] = []
    const report = this.#findings.report.bind(this.#findings)
    const committed: Witness['committed'] = (id, { index, term }) =>
      tracer.record(id, { type: 'committed', index, term })
    const checker = new Checker({ report, committed }, counts, nodes)
    const questions = new Questions(report)
    const { record } = options
    const chronicle = new Chronicle(new Sequence(Sequence.allocate()), () => undefined)
    const fingerprint = new Fingerprint()
    this.world = { time, tracer, counts, checker, questions, fingerprint, chronicle, record }
    const dice = (part: number, ...names: number[]): Dice => new Dice(deriveSeed(seed, part, ...names))
    const conditions = { ...calmNetwork, ...options.network }
    this.network = new Network(this.world, dice(diceOf.network), conditions, (message) =>
      this.node(message.to).deliver(message),
    )
    const history = new History(checker, counts)
    this.#requests = new Requests(this.world, dice(diceOf.client), history, (id, request) =>
      this.#ask(id, request),
    )
    const surroundings = {
      send: this.network.send.bind(this.network),
      taken: this.#requests.taken.bind(this.#requests),
      settle: this.#requests.settle.bind(this.#requests),
      observe: (nodeId: NodeId, event: RaftEvent) =>
        void this.events.push({ atMs: time.nowMs, nodeId, event }),
      stopped: this.#requests.stopped.bind(this.#requests),
    }
    const ids = Array.from({ length: nodeCount }, (_, at) => at + 1)
    const promises = new Promises(checker)
    for (const id of ids) {
      const nodeOptions = {
        id,
        seed,
        membership: membershipOf(ids),
        limits: this.limits,
        bounds,
        resultBytesMax: options.resultBytesMax ?? resultBytesMaxDefault,
        tickMs,
        reads: options.reads ?? 'lease',
        clockDrift: options.clockDrift ?? 0.03,
        turnMs,
        snapshotPieceBytes: options.snapshotPieceBytes ?? 1024,
        disk: { ...defaultDisk, ...options.disk },
        createMachine: options.createMachine ?? createKv,
      }
      const [nodeDice, diskDice] = [dice(diceOf.node, id), dice(diceOf.disk, id)]
      nodes.push(new SimulatedNode(nodeOptions, this.world, surroundings, promises, nodeDice, diskDice))
    }
    this.nodes = nodes
    for (const node of nodes) node.start()
  }

  get nowMs(): number {
    return this.world.time.nowMs
  }

  get violation(): Violation | undefined {
    return this.#findings.first
  }

  /** All that is known about the run until now, as a cluster on threads tells it. Times count from its begin. */
  story(): Story {
    const read = this.nodes.map(({ id, waymarks }) => readWaymarks(id, waymarks))
    return {
      nodeIds: this.nodes.map(({ id }) => id),
      heartbeatIntervalMs: this.tickMs * this.limits.heartbeatTicks,
      electionTimeoutMs: this.tickMs * this.limits.electionTimeoutTicks,
      tickMs: this.tickMs,
      happened: this.world.chronicle.happened,
      passed: read.flatMap(({ passed }) => passed).sort((a, b) => a.atMs - b.atMs),
      carried: read.flatMap(({ carried }) => carried).sort((a, b) => a.atMs - b.atMs),
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
    const node = this.nodes[id - 1]
    if (node === undefined) throw new RangeError(`there is no node ${id}`)
    return node
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
    while (this.#findings.first === undefined && time.step(untilUs)) {
      // All work is in the condition.
    }
    return this.#findings.first === undefined
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

  /** Sends a request to one node; `done` is called once. */
  send(
    nodeId: NodeId,
    type: ClientRequest['type'],
    commands: readonly Uint8Array[],
    done: (outcome: Outcome) => void,
    timeoutMs = defaultTimeoutMs,
  ): void {
    this.#requests.send(nodeId, type, commands, timeoutMs, done)
  }

  /** Proposes a put, and lets time pass until its outcome is known. To the leader, unless a node is named. */
  put(key: string, value: string, nodeId?: NodeId): Outcome {
    return this.#ended('propose', encode(writePut, key, value), nodeId)
  }

  /** Reads a key, and lets time pass until its outcome is known. To the leader, unless a node is named. */
  get(key: string, nodeId?: NodeId): Outcome {
    return this.#ended('read', encode(writeGet, key), nodeId)
  }

  cut(one: NodeId, other: NodeId, { direction = 'both' }: { direction?: CutDirection } = {}): void {
    this.world.counts.cuts++
    for (const [from, to] of waysOf(one, other, direction)) {
      this.network.cut(from, to)
      this.tell(`cuts ${describeLink(from, to)}`)
    }
  }

  mend(one: NodeId, other: NodeId, { direction = 'both' }: { direction?: CutDirection } = {}): void {
    for (const [from, to] of waysOf(one, other, direction)) {
      this.network.mend(from, to)
      this.tell(`mends ${describeLink(from, to)}`)
    }
  }

  /** Cuts all links between nodes of different groups. */
  partition(...groups: readonly (readonly NodeId[])[]): void {
    this.world.counts.partitions++
    for (const [at, group] of groups.entries()) {
      for (const other of groups.slice(at + 1).flat()) for (const one of group) this.cut(one, other)
    }
  }

  /** Mends every link. */
  heal(): void {
    this.network.mendAll()
    this.tell('mends all links')
  }

  /** Loses the messages for which the rule is true, until the answer is called. */
  drop(rule: DropRule): () => void {
    return this.network.drop(rule)
  }

  /** Takes a node's power away. What its disk did not flush is lost. */
  crash(id: NodeId): void {
    this.node(id).crash()
  }

  restart(id: NodeId): void {
    const node = this.node(id)
    if (node.isUp) return
    this.world.counts.restarts++
    node.start()
  }

  /** Stops a node as a process is stopped: it neither hears nor says anything, and does not know it. */
  pause(id: NodeId): void {
    this.node(id).pause()
  }

  resume(id: NodeId): void {
    this.node(id).resume()
  }

  /** Each flush takes about `meanMs` longer; `undefined`: as before. */
  slowDisk(id: NodeId, meanMs: number | undefined): void {
    this.node(id).disk.slow(meanMs)
    this.tell(`${meanMs === undefined ? 'hurries' : 'slows'} the disk of node ${id}`)
  }

  stallDisk(id: NodeId): void {
    this.node(id).disk.stall()
    this.tell(`stalls the disk of node ${id}`)
  }

  releaseDisk(id: NodeId): void {
    this.node(id).disk.release()
    this.tell(`releases the disk of node ${id}`)
  }

  /** The next flush fails. */
  failDisk(id: NodeId): void {
    this.node(id).disk.fail()
    this.tell(`lets the next flush of node ${id} fail`)
  }

  tell(what: string): void {
    this.world.tracer.record(0, { type: 'told', what })
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
    if (this.#findings.first !== undefined) throw new SimulationViolation(this.#findings.first)
  }
}

function waysOf(one: NodeId, other: NodeId, direction: CutDirection): [NodeId, NodeId][] {
  const to: [NodeId, NodeId] = [one, other]
  const from: [NodeId, NodeId] = [other, one]
  if (direction === 'both') return [to, from]
  return direction === 'to' ? [to] : [from]
}
