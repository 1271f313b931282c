/** A cluster in virtual time as verbs see it. Time stands still while a verb is carried out. */
import { RaftError } from '../errors/index.js'
import { type Cast, FaultMethods, type ForTime, resolveTarget, type Target } from '../faults/index.js'
import {
  afterPrefix,
  encode,
  type GetAnswer,
  type RangeAnswer,
  writeDelete,
  writeGet,
  writePut,
  writeRange,
} from '../machine/index.js'
import { MembershipMethods, memberKindOf } from '../membership/index.js'
import { type LogIndex, type Membership, type NodeId, Random, type Snapshot } from '../raft/index.js'
import type { SimulatedCluster, SimulatedNode } from '../sim/index.js'
import type { MembershipTold, Story } from '../telemetry/index.js'
import type {
  NodeTold,
  RangeTold,
  ReadTold,
  ReadWhere,
  SnapshotTold,
  Subject,
  ValueTold,
} from '../verbs/index.js'
import type { ReadEnd, ReadType, SimulatedReads } from './simulated-reads.js'
import type { SimulatedWrites, WriteEnd } from './simulated-writes.js'

interface SubjectParts {
  readonly cluster: SimulatedCluster
  readonly reads: SimulatedReads
  readonly writes: SimulatedWrites
  /** Milliseconds after which a call is given up. */
  readonly callTimeoutMs: number
  readonly seed: number
}

export class SimulatedSubject implements Subject {
  readonly breaker: FaultMethods
  readonly changer: MembershipMethods
  readonly #cluster: SimulatedCluster
  readonly #reads: SimulatedReads
  readonly #writes: SimulatedWrites
  readonly #random: Random

  constructor({ cluster, reads, writes, callTimeoutMs, seed }: SubjectParts) {
    this.#cluster = cluster
    this.#reads = reads
    this.#writes = writes
    this.#random = new Random(seed)
    this.breaker = new FaultMethods(cluster.faults, () => this.cast())
    this.changer = new MembershipMethods(cluster.members, () => this.cast(), callTimeoutMs)
  }

  get nodeIds(): readonly NodeId[] {
    return this.#cluster.nodeIds
  }

  now(): number {
    return this.#cluster.nowMs
  }

  /** Roles mean the nodes that are up. */
  cast(): Cast {
    const { nodeIds, nodes, leaderId, voters } = this.#cluster
    const candidates = nodes.filter(({ isUp }) => isUp).map(({ id }) => id)
    return { nodeIds, candidates, leaderId, voters, random: this.#random }
  }

  status(): readonly NodeTold[] {
    const membership = this.membership?.membership
    return this.#cluster.nodes.map((node) => toldOf(node, membership))
  }

  get membership(): MembershipTold | undefined {
    const { leader, members } = this.#cluster
    const { configuration } = members
    return configuration && { ...configuration, transferTo: leader?.state?.leadership?.transfer?.to }
  }

  async kill(target: Target, options: ForTime): Promise<readonly NodeId[]> {
    const { id } = await this.breaker.kill(target, options)
    const killed = this.breaker.faults.find((standing) => standing.id === id)?.fault
    return killed?.type === 'kill' ? killed.nodes : []
  }

  async restart(target: Target): Promise<void> {
    const down = this.#cluster.nodes.filter(({ isUp }) => !isUp).map(({ id }) => id)
    const nodeIds = resolveTarget(target, { ...this.cast(), candidates: down })
    const running = nodeIds.find((nodeId) => !down.includes(nodeId))
    if (running !== undefined)
      throw new RaftError('INVALID_FAULT', {
        what: `restart ${running}`,
        why: `node ${running} runs already`,
      })
    for (const nodeId of nodeIds) this.#cluster.restart(nodeId)
  }

  snapshot(target: Target): Promise<readonly SnapshotTold[]> {
    const nodeIds = resolveTarget(target, this.cast())
    return Promise.all(
      nodeIds.map(async (nodeId) => {
        const taken = await new Promise<Snapshot | undefined>((resolve) =>
          this.#cluster.node(nodeId).takeSnapshot(resolve),
        )
        if (taken === undefined) throw new RaftError('STOPPED', { what: `node ${nodeId}` })
        return { nodeId, index: taken.index, term: taken.term, size: taken.size }
      }),
    )
  }

  story(): Story {
    return this.#cluster.story()
  }

  async put(key: string, value: string): Promise<{ readonly index: LogIndex; readonly revision: number }> {
    const { index, answers } = await this.#write(encode(writePut, key, value))
    return { index, revision: answers[0]?.revision ?? 0 }
  }

  async delete(key: string): Promise<{ readonly index: LogIndex; readonly deleted: boolean }> {
    const { index, answers } = await this.#write(encode(writeDelete, key))
    return { index, deleted: answers[0]?.status === 'applied' }
  }

  async get(key: string, where: ReadWhere = {}): Promise<ReadTold<ValueTold | undefined>> {
    const { answer, ...told } = await this.#read(encode(writeGet, key), where)
    return { answer: 'record' in answer ? answer.record : undefined, ...told }
  }

  async range(prefix: string, where: ReadWhere = {}): Promise<ReadTold<RangeTold>> {
    const query = encode(writeRange, { start: prefix, end: afterPrefix(prefix) })
    const { answer, ...told } = await this.#read(query, where)
    const { records: entries, hasMore } = 'records' in answer ? answer : { records: [], hasMore: false }
    return { answer: { entries, hasMore }, ...told }
  }

  /** The load of a scenario is its own, with a ledger. */
  beginLoad(): void {}

  endLoad(): undefined {}

  async #write(command: Uint8Array): Promise<WriteEnd & { readonly outcome: 'applied' }> {
    const end = await new Promise<WriteEnd>((resolve) => this.#writes.write(command, resolve))
    if (end.outcome === 'applied') return end
    if (end.outcome === 'unknown') throw new RaftError('UNKNOWN_OUTCOME', { why: end.why })
    throw new RaftError(end.code, end.details)
  }

  async #read(
    query: Uint8Array,
    { from, isStale = false }: ReadWhere,
  ): Promise<ReadTold<GetAnswer | RangeAnswer>> {
    const isAtLeader = !isStale && (from === undefined || from === 'leader')
    const type: ReadType = isStale ? 'staleRead' : isAtLeader ? 'read' : 'readHere'
    const where = from ?? (isStale ? 'any' : 'leader')
    const end = await new Promise<ReadEnd>((resolve) => this.#reads.read(type, query, resolve, where))
    if (end.outcome === 'notDone') throw new RaftError(end.code, end.details)
    const [answer] = end.answers
    if (answer === undefined) throw new Error('a read of one query has one answer')
    return { answer, ...end.staleness }
  }
}

function toldOf(
  { id, isUp, isPaused, state, error }: SimulatedNode,
  membership: Membership | undefined,
): NodeTold {
  const log = state?.log
  return {
    nodeId: id,
    state: isUp ? (isPaused ? 'paused' : 'running') : error === undefined ? 'stopped' : 'failed',
    member: memberKindOf(id, membership),
    role: state?.role ?? 'follower',
    currentTerm: state?.currentTerm ?? 0,
    leaderId: state?.leaderId,
    lastIndex: log?.lastIndex ?? 0,
    commitIndex: log?.commitIndex ?? 0,
    lastApplied: log?.lastApplied ?? 0,
    logBytes: 0,
    failure: error === undefined ? undefined : String(error),
  }
}
