/** A cluster in virtual time as verbs see it. Time stands still while a verb is carried out. */
import { RaftError } from '../errors/index.js'
import { type Cast, FaultMethods, type ForTime, resolveTarget, type Target } from '../faults/index.js'
import { type NodeId, Random } from '../raft/index.js'
import type { SimulatedCluster, SimulatedNode } from '../sim/index.js'
import type { Story } from '../telemetry/index.js'
import type { NodeTold, Subject } from '../verbs/index.js'

export class SimulatedSubject implements Subject {
  readonly breaker: FaultMethods
  readonly #cluster: SimulatedCluster
  readonly #random: Random

  constructor(cluster: SimulatedCluster, seed: number) {
    this.#cluster = cluster
    this.#random = new Random(seed)
    this.breaker = new FaultMethods(cluster.faults, () => this.cast())
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
    return { nodeIds, candidates, leaderId, random: this.#random }
  }

  status(): readonly NodeTold[] {
    return this.#cluster.nodes.map(toldOf)
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
      throw new RaftError('INVALID_FAULT', { what: `restart ${running}`, why: `node ${running} runs` })
    for (const nodeId of nodeIds) this.#cluster.restart(nodeId)
  }

  story(): Story {
    return this.#cluster.story()
  }

  put = refused('put')
  get = refused('get')
  delete = refused('delete')
  range = refused('range')
  beginLoad = (): never => refusal('load')
  endLoad = (): never => refusal('load')
}

/** In virtual time a call ends in a later step than that of its verb: a scenario gives load, and no single calls. */
function refused(verb: string): () => Promise<never> {
  return async () => refusal(verb)
}

function refusal(verb: string): never {
  throw new RaftError('INVALID_FAULT', {
    what: verb,
    why: 'in virtual time, the load of a scenario calls instead',
  })
}

function toldOf({ id, isUp, isPaused, state, error }: SimulatedNode): NodeTold {
  const log = state?.log
  return {
    nodeId: id,
    state: isUp ? (isPaused ? 'paused' : 'running') : error === undefined ? 'stopped' : 'failed',
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
