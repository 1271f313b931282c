/** A cluster in virtual time as verbs see it. Time stands still while a verb is carried out. */
import type { ReadFrom } from '../cluster/index.js'
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
import type { Outcome, SimulatedCluster, SimulatedNode } from '../sim/index.js'
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
import type { CallType, NotDone, SimulatedCalls } from './simulated-calls.js'

type Told = Outcome | NotDone

export class SimulatedSubject implements Subject {
  readonly breaker: FaultMethods
  readonly changer: MembershipMethods
  readonly #cluster: SimulatedCluster
  readonly #calls: SimulatedCalls
  readonly #random: Random

  constructor(cluster: SimulatedCluster, calls: SimulatedCalls, seed: number) {
    this.#cluster = cluster
    this.#calls = calls
    this.#random = new Random(seed)
    this.breaker = new FaultMethods(cluster.faults, () => this.cast())
    this.changer = new MembershipMethods(cluster.members, () => this.cast(), calls.timeoutMs)
  }

  get nodeIds(): readonly NodeId[] {
    return this.#cluster.nodeIds
  }

  now(): number {
    return this.#cluster.nowMs
  }

  /** Roles mean the nodes that are up. */
  cast(): Cast {
    const { nodeIds, nodes, leaderId } = this.#cluster
    const candidates = nodes.filter(({ isUp }) => isUp).map(({ id }) => id)
    const { voters } = this.membership?.membership ?? {}
    return { nodeIds, candidates, leaderId, random: this.#random, ...(voters && { voters }) }
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

  async #write(command: Uint8Array): Promise<Outcome & { readonly outcome: 'applied' }> {
    const told = await this.#ended('propose', command)
    if (told.outcome === 'applied') return told
    throw errorOf(told, this.#calls.timeoutMs)
  }

  async #read(
    query: Uint8Array,
    { from, isStale = false }: ReadWhere,
  ): Promise<ReadTold<GetAnswer | RangeAnswer>> {
    const isAtLeader = !isStale && (from === undefined || from === 'leader')
    const type = isStale ? 'staleRead' : isAtLeader ? 'read' : 'readHere'
    const told = await this.#ended(type, query, from ?? (isStale ? 'any' : 'leader'))
    const answer = told.outcome === 'read' ? told.answers[0] : undefined
    if (told.outcome !== 'read' || answer === undefined) throw errorOf(told, this.#calls.timeoutMs)
    return { answer, ...told.staleness }
  }

  #ended(type: CallType, command: Uint8Array, from: ReadFrom = 'leader'): Promise<Told> {
    return new Promise((resolve) => this.#calls.call(type, command, resolve, from))
  }
}

/** A call that did not end well, as a cluster of threads would tell it. */
function errorOf(told: Told, deadlineMs: number): RaftError {
  if (told.outcome === 'notDone') return new RaftError(told.code, { deadlineMs, ...told.details })
  if (told.outcome === 'unknown') return new RaftError('UNKNOWN_OUTCOME', { why: told.why })
  return new RaftError('OVERLOADED', { what: 'code' in told ? told.code : told.outcome })
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
