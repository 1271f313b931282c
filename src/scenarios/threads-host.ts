/** A cluster of worker threads as a place for scenarios: real time, real disks, a temporary folder. */
import { type Cluster, type Entry, type HashAt, startCluster } from '../cluster/index.js'
import { RaftError, reasonOf } from '../errors/index.js'
import { type Dice, type FaultType, parseTarget, resolveTarget } from '../faults/index.js'
import type { NodeId, Random } from '../raft/index.js'
import { type Story, ToldHappenings } from '../telemetry/index.js'
import { ClusterSubject, parse, perform } from '../verbs/index.js'
import type { CallEnd, Host, HostEvent, NodeSeen } from './host.js'
import { hostEventOf } from './host-events.js'
import type { Scenario } from './scenario.js'

/** The time between two looks at a condition. */
const lookEveryMs = 5

export class ThreadsHost implements Host {
  readonly name = 'threads'
  readonly violation = undefined
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
  readonly cluster: Cluster
  readonly #subject: ClusterSubject

  private constructor(cluster: Cluster) {
    this.cluster = cluster
    this.heartbeatIntervalMs = cluster.options.heartbeatIntervalMs
    this.electionTimeoutMs = cluster.options.electionTimeoutMs
    this.#subject = new ClusterSubject(cluster)
  }

  static async start({
    nodes,
    timing,
    logBytesMax,
  }: Pick<Scenario, 'nodes' | 'timing' | 'logBytesMax'>): Promise<ThreadsHost> {
    const { heartbeatIntervalMs, electionTimeoutMs, callTimeoutMs: requestTimeoutMs } = timing
    const options = { nodes, heartbeatIntervalMs, electionTimeoutMs, requestTimeoutMs }
    return new ThreadsHost(
      await startCluster(logBytesMax === undefined ? options : { ...options, logBytesMax }),
    )
  }

  get nodeIds(): readonly NodeId[] {
    return this.#subject.nodeIds
  }

  get leaderId(): NodeId | undefined {
    return this.cluster.leaderId
  }

  /** The clock of the story, so that its times and those of the load are the same. */
  now(): number {
    return performance.timeOrigin + performance.now()
  }

  later(ms: number, run: () => void): void {
    if (ms > 0) setTimeout(run, ms)
    else setImmediate(run)
  }

  async until(condition: () => boolean, withinMs: number): Promise<boolean> {
    const deadlineMs = this.now() + withinMs
    while (!condition()) {
      const leftMs = deadlineMs - this.now()
      if (leftMs <= 0) return condition()
      await new Promise((resolve) => setTimeout(resolve, Math.min(leftMs, lookEveryMs)))
    }
    return true
  }

  nodes(): readonly NodeSeen[] {
    return this.cluster.status()
  }

  nodeOf(word: string, random: Random, taken: readonly NodeId[]): NodeId {
    const candidates = this.nodes().flatMap(({ nodeId, state }) =>
      state === 'running' && !taken.includes(nodeId) ? [nodeId] : [],
    )
    const { nodeIds, leaderId } = this
    const { voters = nodeIds } = this.cluster.membership?.membership ?? {}
    const [nodeId = 0] = resolveTarget(parseTarget(word), { nodeIds, candidates, leaderId, voters, random })
    return nodeId
  }

  put(key: string, value: string, done: (end: CallEnd) => void): void {
    this.cluster.put(key, value).then(
      ({ revision }) => done({ type: 'written', revision }),
      (error: unknown) => done(endOf(error)),
    )
  }

  get(key: string, done: (end: CallEnd) => void): void {
    this.cluster.get(key).then(
      (entry) => done(endOfRead(entry)),
      (error: unknown) => done(endOf(error)),
    )
  }

  async carryOut(line: string): Promise<void> {
    const command = parse(line)
    if (command !== undefined) await perform({ subject: this.#subject }, command)
  }

  onEvent(listener: (event: HostEvent) => void): void {
    const told = new ToldHappenings(this.heartbeatIntervalMs)
    this.cluster.events.on('event', (event) => listener(hostEventOf(event, told)))
  }

  nemesis(dice: Dice): () => Promise<ReadonlyMap<FaultType, number>> {
    const nemesis = this.cluster.nemesis(dice.below(2 ** 32))
    nemesis.start(this.electionTimeoutMs)
    return async () => {
      await nemesis.stop()
      return nemesis.begun
    }
  }

  async healAll(): Promise<void> {
    await this.cluster.breaker.heal({ all: true })
    for (const { nodeId } of this.cluster.status()) if (this.#isDown(nodeId)) await this.#startAgain(nodeId)
  }

  /** The end of a fault that is still under way may bring the node back first. */
  async #startAgain(nodeId: NodeId): Promise<void> {
    try {
      await this.cluster.restart(nodeId)
    } catch (error) {
      if (this.#isDown(nodeId)) throw error
    }
  }

  #isDown(nodeId: NodeId): boolean {
    const node = this.cluster.status().find((each) => each.nodeId === nodeId)
    return node?.state === 'stopped' || node?.state === 'failed'
  }

  hashes(): Promise<ReadonlyMap<NodeId, HashAt>> {
    return this.cluster.hashes()
  }

  story(): Story {
    return this.cluster.story()
  }

  close(): Promise<void> {
    return this.cluster.close()
  }
}

function endOfRead(entry: Entry | undefined): CallEnd {
  if (entry === undefined) return { type: 'read', value: undefined, revision: 0, version: 0 }
  const { value, modRevision: revision, version } = entry
  return { type: 'read', value: value.toString(), revision, version }
}

function endOf(error: unknown): CallEnd {
  if (!(error instanceof RaftError)) return { type: 'notDone', code: reasonOf(error) }
  if (error.mayHaveHappened === 'maybe') return { type: 'unknown', why: error.message }
  return { type: 'notDone', code: error.code }
}
