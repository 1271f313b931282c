/** A cluster in virtual time as a place for scenarios: the same seed is the same run. */
import type { HashAt } from '../cluster/index.js'
import { type Dice, type FaultType, Nemesis, parseTarget, resolveTarget } from '../faults/index.js'
import { encode, writeGet, writePut } from '../machine/index.js'
import type { NodeId, Random } from '../raft/index.js'
import { SimulatedCluster } from '../sim/index.js'
import { type Story, ToldHappenings } from '../telemetry/index.js'
import { BadInput, Failed } from '../terminal/index.js'
import { parse, perform } from '../verbs/index.js'
import type { CallEnd, Host, HostEvent, NodeSeen } from './host.js'
import { hostEventOf } from './host-events.js'
import { keysOfClient } from './load-clients.js'
import type { Scenario } from './scenario.js'
import { type ReadEnd, SimulatedReads } from './simulated-reads.js'
import { SimulatedSubject } from './simulated-subject.js'
import { SimulatedWrites, type WriteEnd } from './simulated-writes.js'

/** An answer holds the whole state. */
const dataBytesMax = 512 << 10
const valueBytesMax = 32 << 10
/** Virtual time passes in slices of so many milliseconds, after each of which a condition is looked at. */
const sliceMs = 1
/** The longest time for which a verb is waited for: calls and changes of the members end before. */
const verbWithinMs = 120_000
/** Real time after which other work of the process gets its turn: Ctrl-C, for one. */
const turnMs = 50

export class SimulatedHost implements Host {
  readonly name = 'simulated'
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
  readonly #cluster: SimulatedCluster
  readonly #reads: SimulatedReads
  readonly #writes: SimulatedWrites
  readonly #subject: SimulatedSubject
  readonly #listeners: ((event: HostEvent) => void)[] = []
  #turnEndsMs = 0

  /** Throws `BadInput` for more data than the checks of the simulation can hold against each other. */
  constructor(scenario: Scenario, seed: number) {
    const { nodes, timing, logBytesMax, load } = scenario
    const steps = scenario.steps.flatMap((step) => (step.type === 'load' ? [step.clients] : []))
    const clients = Math.max(load.clients, ...steps)
    if (clients * keysOfClient * load.size > dataBytesMax || load.size > valueBytesMax)
      throw new BadInput(
        `load: ${clients} clients with values of ${load.size} bytes are too much for virtual time, where every state is compared whole; give less, or --host threads`,
      )
    const { heartbeatIntervalMs, electionTimeoutMs, callTimeoutMs } = timing
    this.heartbeatIntervalMs = heartbeatIntervalMs
    this.electionTimeoutMs = electionTimeoutMs
    const electionTimeoutTicks = Math.round(electionTimeoutMs / heartbeatIntervalMs)
    const happenings = new ToldHappenings(heartbeatIntervalMs)
    const cluster = new SimulatedCluster({
      seed,
      nodes,
      // As in a cluster of threads: a tick is a heartbeat.
      tickMs: heartbeatIntervalMs,
      limits: { heartbeatTicks: 1, electionTimeoutTicks },
      happened: (event) => {
        const told = hostEventOf(event, happenings)
        for (const listen of this.#listeners) listen(told)
      },
      ...(logBytesMax !== undefined && { bounds: { logBytesMax, trailingBytes: logBytesMax >>> 2 } }),
    })
    const reads = new SimulatedReads(cluster, callTimeoutMs)
    const writes = new SimulatedWrites(cluster, callTimeoutMs)
    this.#cluster = cluster
    this.#reads = reads
    this.#writes = writes
    this.#subject = new SimulatedSubject({ cluster, reads, writes, callTimeoutMs, seed })
  }

  get nodeIds(): readonly NodeId[] {
    return this.#cluster.nodeIds
  }

  get leaderId(): NodeId | undefined {
    return this.#cluster.leaderId
  }

  get violation(): string | undefined {
    const { violation } = this.#cluster
    return violation && `${violation.rule}: ${violation.detail}, at ${violation.atMs.toFixed(3)} ms`
  }

  now(): number {
    return this.#cluster.nowMs
  }

  later(ms: number, run: () => void): void {
    this.#cluster.later(ms, run)
  }

  async until(condition: () => boolean, withinMs: number): Promise<boolean> {
    const endMs = this.now() + withinMs
    while (!condition()) {
      const leftMs = endMs - this.now()
      if (leftMs <= 0 || !this.#cluster.advance(Math.min(sliceMs, leftMs))) return condition()
      if (performance.now() < this.#turnEndsMs) continue
      await new Promise((resolve) => setImmediate(resolve))
      this.#turnEndsMs = performance.now() + turnMs
    }
    return true
  }

  nodes(): readonly NodeSeen[] {
    return this.#subject.status()
  }

  nodeOf(word: string, random: Random, taken: readonly NodeId[]): NodeId {
    const cast = this.#subject.cast()
    const candidates = cast.candidates.filter((nodeId) => !taken.includes(nodeId))
    const [nodeId = 0] = resolveTarget(parseTarget(word), { ...cast, candidates, random })
    return nodeId
  }

  put(key: string, value: string, done: (end: CallEnd) => void): void {
    this.#writes.write(encode(writePut, key, value), (end) => done(endOf(end)))
  }

  get(key: string, done: (end: CallEnd) => void): void {
    this.#reads.read('read', encode(writeGet, key), (end) => done(endOf(end)))
  }

  /** Faults begin while time stands still. Time passes only for a verb that waits for an answer. */
  async carryOut(line: string): Promise<void> {
    const command = parse(line)
    if (command === undefined) return
    let isOver = false
    const done = perform({ subject: this.#subject }, command).finally(() => {
      isOver = true
    })
    // Whoever waits for `done` comes too late for a failure while time passes.
    done.catch(() => undefined)
    // Each slice is followed by a turn, in which the verb hears of its answer: so it ends at the same moment in each run.
    const endMs = this.now() + verbWithinMs
    do await new Promise((resolve) => setImmediate(resolve))
    while (!isOver && this.now() < endMs && this.#cluster.advance(sliceMs))
    if (!isOver) throw new Failed(`${line}: no answer came`)
    await done
  }

  onEvent(listener: (event: HostEvent) => void): void {
    this.#listeners.push(listener)
  }

  nemesis(dice: Dice): () => Promise<ReadonlyMap<FaultType, number>> {
    const nemesis = new Nemesis(this.#cluster, this.#cluster.faults, dice)
    nemesis.start(this.electionTimeoutMs)
    return async () => {
      await nemesis.stop()
      return nemesis.begun
    }
  }

  async healAll(): Promise<void> {
    await this.#cluster.faults.heal(() => true)
    for (const nodeId of this.nodeIds) this.#cluster.bringBack(nodeId)
  }

  async hashes(): Promise<ReadonlyMap<NodeId, HashAt>> {
    return new Map(
      this.#cluster.nodes.map((node) => [
        node.id,
        { lastApplied: node.state?.log.lastApplied ?? 0, hash: String(node.hash()) },
      ]),
    )
  }

  story(): Story {
    return this.#subject.story()
  }

  async close(): Promise<void> {}
}

function endOf(end: ReadEnd | WriteEnd): CallEnd {
  switch (end.outcome) {
    case 'applied':
      return { type: 'written', revision: end.answers[0]?.revision ?? 0 }
    case 'read': {
      const [answer] = end.answers
      if (answer?.status !== 'found' || !('record' in answer))
        return { type: 'read', value: undefined, revision: 0, version: 0 }
      const { value, modRevision: revision, version } = answer.record
      return { type: 'read', value: Buffer.from(value).toString(), revision, version }
    }
    case 'notDone':
      return { type: 'notDone', code: end.code }
    case 'unknown':
      return { type: 'unknown', why: end.why }
  }
}
