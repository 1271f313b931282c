/**
 * A cluster that is driven as the tests of the Raft lab of MIT's course 6.5840 drive theirs, in virtual time: servers are
 * disconnected and crashed, commands go to whoever claims to lead, and requests and bytes are counted. The figures are the
 * lab's own; where one is another, a comment says why.
 */
import { Dice, packetOf } from '../../src/faults/index.js'
import { encode, writePut } from '../../src/machine/index.js'
import { entriesIn, type InstallSnapshot, isAnswer, type Message, type NodeId } from '../../src/raft/index.js'
import {
  type NetworkConditions,
  type Outcome,
  SimulatedCluster,
  type SimulatedClusterOptions,
} from '../../src/sim/index.js'
import { cloneMessage } from '../../src/transport/index.js'

/** The time that the lab grants to an election, in milliseconds. */
export const electionMs = 1000
/** A command that a leader took is agreed on within so long, or is submitted again. */
const agreementMs = 2000
/** On links that lose messages a command is agreed on within so long, whoever leads. On reliable links 2 s are enough. */
const patienceMs = 10_000
/** No test of the lab takes longer. */
const labMs = 120_000

/**
 * The lab asks for ten heartbeats a second at most, so an interval is 100 ms, as it is by default in a cluster on threads. The
 * election timeout is three of them, as little as the limits allow: 300 to 600 ms.
 */
const paceOfTheLab = { tickMs: 20, limits: { heartbeatTicks: 5, electionTimeoutTicks: 15 } }

/** As between threads, where each port of a link keeps its order. */
const calm: NetworkConditions = {
  ...{ delayMs: 0.2, jitterMs: 0.3, lossRate: 0, duplicationRate: 0, spikeRate: 0, spikeMs: 0 },
  ...{ isOrdered: true, strayRate: 0, strayMs: 0 },
}

/** The lab delays a request by 13 ms on the average, and loses one request of ten and one answer of ten. Nothing keeps an order. */
const unreliable: NetworkConditions = { ...calm, isOrdered: false, delayMs: 0, jitterMs: 13, lossRate: 0.1 }

/** A command on its way: what the client was told of it. */
export interface Submission {
  readonly command: Uint8Array
  readonly nodeId: NodeId
  outcome: Outcome | undefined
}

/** What was sent, by its kind: heartbeats apart from replication. */
export class Sent {
  requests = 0
  bytes = 0
  /** Entries in all messages, each time that they were sent. */
  entries = 0
  snapshotBytes = 0
  /** Bytes of the snapshots, each once for each server that it was sent to. */
  snapshotSizes = 0
  /** Refusals of a follower whose log does not meet the leader's. */
  refusals = 0
  readonly #ofKind = new Map<string, number>()
  readonly #snapshots = new Set<string>()

  of(kind: string): number {
    return this.#ofKind.get(kind) ?? 0
  }

  add(message: Message): void {
    const kind = 'mode' in message ? `${message.type} ${message.mode}` : message.type
    this.#ofKind.set(kind, this.of(kind) + 1)
    this.bytes += packetOf(message).byteLength
    if (!isAnswer(message)) this.requests++
    if (message.type === 'installSnapshot') this.#addChunk(message)
    if (message.type === 'appendEntries') for (const { count } of entriesIn(message)) this.entries += count
    if (message.type === 'appendEntriesResponse' && !message.success && message.conflictIndex > 0)
      this.refusals++
  }

  #addChunk({ to, term, lastIncludedIndex, size, length }: InstallSnapshot): void {
    const snapshot = `${to} ${term} ${lastIncludedIndex}`
    this.snapshotBytes += length
    if (!this.#snapshots.has(snapshot)) this.snapshotSizes += size
    this.#snapshots.add(snapshot)
  }
}

export class Lab {
  readonly cluster: SimulatedCluster
  readonly dice: Dice
  readonly sent = new Sent()
  readonly #isReliable: boolean
  readonly #disconnected = new Set<NodeId>()
  /** The index of each command that is known to be committed, by its bytes. */
  readonly #indexOf = new Map<string, number>()
  #read = 0
  #submitted = 0

  constructor(
    seed: number,
    nodes: number,
    options: SimulatedClusterOptions & { readonly isReliable?: boolean } = {},
  ) {
    const { isReliable = true, limits, ...others } = options
    this.cluster = new SimulatedCluster({
      ...{ seed, nodes, tickMs: paceOfTheLab.tickMs, limits: { ...paceOfTheLab.limits, ...limits } },
      ...{ network: isReliable ? calm : unreliable },
      ...others,
    })
    this.#isReliable = isReliable
    this.dice = new Dice(seed)
    this.cluster.drop((message) => {
      this.sent.add(message)
      return false
    })
  }

  get ids(): readonly NodeId[] {
    return this.cluster.nodeIds
  }

  /** The server so many places behind another, in a ring. */
  after(id: NodeId, places: number): NodeId {
    return ((id - 1 + places) % this.ids.length) + 1
  }

  anyServer(): NodeId {
    return 1 + this.dice.below(this.ids.length)
  }

  sleep(ms: number): void {
    this.cluster.run(ms)
  }

  isConnected(id: NodeId): boolean {
    return !this.#disconnected.has(id)
  }

  isUp(id: NodeId): boolean {
    return this.cluster.node(id).isUp
  }

  disconnect(...ids: readonly NodeId[]): void {
    for (const id of ids) this.#disconnected.add(id)
    this.#part()
  }

  connect(...ids: readonly NodeId[]): void {
    for (const id of ids) this.#disconnected.delete(id)
    this.#part()
  }

  crash(...ids: readonly NodeId[]): void {
    for (const id of ids) void this.cluster.losePower(id)
  }

  /** A server that starts again is connected. */
  restart(...ids: readonly NodeId[]): void {
    for (const id of ids) this.cluster.restart(id)
    this.connect(...ids)
  }

  crashAndRestartAll(): void {
    this.crash(...this.ids)
    this.restart(...this.ids)
  }

  makeReliable(): void {
    this.cluster.network.conditions = calm
  }

  /** Two answers of three come up to 2.4 s late, and so behind many that were sent after them. */
  reorderAnswers(): void {
    this.cluster.drop((message) => {
      if (!isAnswer(message) || !this.dice.chance(2 / 3)) return false
      const late = cloneMessage(message)
      this.cluster.world.mail.sent(message, late)
      this.cluster.later(200 + this.dice.below(1 + this.dice.below(2000)), () => {
        if (this.isConnected(late.from) && this.isConnected(late.to)) this.cluster.node(late.to).deliver(late)
      })
      return true
    })
  }

  claimsToLead(id: NodeId): boolean {
    const { isRunning, state } = this.cluster.node(id)
    return isRunning && state?.role === 'leader'
  }

  /** The leader of the latest term among the connected servers. Each term has one leader at most. */
  oneLeader(): NodeId {
    for (let look = 0; look < 10; look++) {
      this.sleep(this.dice.between(450, 550))
      const leaders = new Map<number, NodeId>()
      for (const id of this.ids) {
        if (!this.isConnected(id) || !this.claimsToLead(id)) continue
        const term = this.cluster.node(id).state?.currentTerm ?? 0
        if (leaders.has(term)) throw new Error(`term ${term} has two leaders: ${leaders.get(term)} and ${id}`)
        leaders.set(term, id)
      }
      const leader = leaders.get(Math.max(...leaders.keys()))
      if (leader !== undefined) return leader
    }
    throw new Error('nobody was elected within 5 s')
  }

  noLeader(): void {
    const leader = this.ids.find((id) => this.isConnected(id) && this.claimsToLead(id))
    if (leader !== undefined) throw new Error(`node ${leader} claims to lead without a majority`)
  }

  /** The term in which all connected servers are. */
  agreedTerm(): number {
    const terms = new Set(
      this.ids
        .filter((id) => this.isConnected(id) && this.isUp(id))
        .map((id) => this.cluster.node(id).state?.currentTerm),
    )
    const [term] = terms
    if (terms.size !== 1 || term === undefined) throw new Error(`servers are in terms ${[...terms]}`)
    return term
  }

  /** Submits a command to one server. No two commands are the same. */
  start(nodeId: NodeId, valueBytes = 1): Submission {
    const value = `${++this.#submitted}`.padEnd(valueBytes, '.')
    const command = encode(writePut, 'x', value)
    const submission: Submission = { command, nodeId, outcome: undefined }
    const told = (outcome: Outcome): void => {
      submission.outcome = outcome
    }
    this.cluster.send(nodeId, 'propose', [command], told, labMs)
    return submission
  }

  startMany(nodeId: NodeId, count: number): Submission[] {
    return Array.from({ length: count }, () => this.start(nodeId))
  }

  /** The entry of a command that is committed. */
  indexOf({ command }: Submission): number | undefined {
    const { committed } = this.cluster.world.checker.ledger
    for (; this.#read < committed.length; this.#read++) {
      const entry = committed[this.#read]
      if (entry !== undefined && entry.command.byteLength > 0)
        this.#indexOf.set(nameOf(entry.command), entry.index)
    }
    return this.#indexOf.get(nameOf(command))
  }

  /** How many servers have applied the command, connected or not. */
  appliedBy(submission: Submission): number {
    const index = this.indexOf(submission)
    if (index === undefined) return 0
    return this.cluster.nodes.filter(({ state }) => (state?.log.lastApplied ?? 0) >= index).length
  }

  /** Which command it is of those that are committed: the lab's index, where a leader's empty entry has none. */
  numberOf(submission: Submission): number {
    const index = this.indexOf(submission)
    if (index === undefined) throw new Error('the command is not committed')
    return this.cluster.world.checker.ledger.committed[index]?.revision ?? 0
  }

  /** Lets time pass until the condition holds; false if it does not within so long. */
  within(ms: number, condition: () => boolean): boolean {
    const untilMs = this.cluster.nowMs + ms
    while (!condition()) {
      if (this.cluster.nowMs >= untilMs) return false
      this.sleep(1)
    }
    return true
  }

  /**
   * Agrees on one more command, and returns its number. Without `mayRetry`, the command that a leader took is agreed on by so
   * many servers within 2 s. Else other attempts may follow.
   */
  one(servers: number, { mayRetry = true, valueBytes = 1 } = {}): number {
    const withinMs = this.#isReliable ? agreementMs : patienceMs
    const untilMs = this.cluster.nowMs + withinMs
    while (this.cluster.nowMs < untilMs) {
      const leader = this.ids.find((id) => this.isConnected(id) && this.claimsToLead(id))
      const submission = leader === undefined ? undefined : this.start(leader, valueBytes)
      const isAgreed = submission !== undefined && this.#isAgreed(submission, servers, untilMs)
      if (isAgreed) return this.numberOf(submission)
      if (submission !== undefined && !mayRetry)
        throw new Error(`node ${leader} took a command, and ${servers} servers did not agree in 2 s`)
      if (submission === undefined || isGivenUp(submission)) this.sleep(50)
    }
    throw new Error(`${servers} servers agreed on nothing within ${withinMs} ms`)
  }

  /** All that was sent, held against the limits of the whole lab. */
  end(): void {
    const { nowMs } = this.cluster
    if (nowMs > labMs) throw new Error(`the lab took ${nowMs} ms, and ${labMs} at most are allowed`)
    // The lab counts a call with its answer as one. Here an answer is a message, so requests are counted, and no request has two.
    for (const [request, answer] of answersOf) {
      const [asked, answered] = [this.sent.of(request), this.sent.of(answer)]
      if (answered > asked) throw new Error(`${asked} × ${request} got ${answered} answers`)
    }
  }

  /** False when time is up, or when the client was told not to wait any more. */
  #isAgreed(submission: Submission, servers: number, untilMs: number): boolean {
    const agreed = (): boolean => this.appliedBy(submission) >= servers
    const leftMs = Math.min(agreementMs, untilMs - this.cluster.nowMs)
    return this.within(leftMs, () => agreed() || isGivenUp(submission)) && agreed()
  }

  #part(): void {
    this.cluster.healLinks()
    const alone = this.ids.filter((id) => !this.isConnected(id))
    const together = this.ids.filter((id) => this.isConnected(id))
    if (alone.length > 0) this.cluster.partition(together, ...alone.map((id) => [id]))
  }
}

/** Each kind of request, and its answer. */
const answersOf = [
  ['preVote', 'preVoteResponse'],
  ['requestVote', 'requestVoteResponse'],
  ['appendEntries heartbeat', 'appendEntriesResponse heartbeat'],
  ['appendEntries replication', 'appendEntriesResponse replication'],
  ['installSnapshot', 'installSnapshotResponse'],
] as const

/** The client was told that its command was refused or replaced, or that nobody can tell: it may submit it again. */
function isGivenUp({ outcome }: Submission): boolean {
  return outcome?.outcome === 'refused' || outcome?.outcome === 'unknown'
}

function nameOf(command: Uint8Array): string {
  return Buffer.from(command).toString('latin1')
}
