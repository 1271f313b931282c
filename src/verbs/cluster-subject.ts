/** A cluster on threads, or inline, as verbs see it. */
import type { Cluster } from '../cluster/index.js'
import {
  type Cast,
  type ForTime,
  type Healed,
  resolveTarget,
  type StandingFault,
  type Target,
} from '../faults/index.js'
import { BackgroundLoad, type Seen } from '../load/index.js'
import type { LogOfNode, LogRange } from '../logbook/index.js'
import { type NodeId, Random } from '../raft/index.js'
import type { Story } from '../telemetry/index.js'
import { Failed } from '../terminal/index.js'
import type { Breaker, NodeTold, Subject } from './subject.js'

export class ClusterSubject implements Subject {
  readonly breaker: Breaker
  readonly #cluster: Cluster
  readonly #random = new Random(crypto.getRandomValues(new Uint32Array(1))[0] ?? 1)
  #load: BackgroundLoad | undefined

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    // The methods come with the faults of the handle.
    this.breaker = Object.assign(cluster as unknown as Breaker, { faults: [] })
  }

  get nodeIds(): readonly NodeId[] {
    return this.#cluster.status().map(({ nodeId }) => nodeId)
  }

  now(): number {
    return Date.now()
  }

  status(): readonly NodeTold[] {
    return this.#cluster.status()
  }

  put = (key: string, value: string) => this.#cluster.put(key, value)
  get = (key: string) => this.#cluster.get(key)
  delete = (key: string) => this.#cluster.delete(key)
  range = (prefix: string) => this.#cluster.range({ prefix })

  async kill(target: Target, _options: ForTime): Promise<readonly NodeId[]> {
    const nodeIds = resolveTarget(
      target,
      this.#castOf(({ state }) => state === 'running'),
    )
    await Promise.all(nodeIds.map((nodeId) => this.#cluster.kill(nodeId)))
    return nodeIds
  }

  async restart(target: Target, options: { readonly renew?: boolean }): Promise<void> {
    const nodeIds = resolveTarget(
      target,
      this.#castOf(({ state }) => state !== 'running'),
    )
    const runs = this.status().find(({ nodeId, state }) => state === 'running' && nodeIds.includes(nodeId))
    if (runs !== undefined) throw new Failed(`node ${runs.nodeId} runs already`)
    await Promise.all(nodeIds.map((nodeId) => this.#cluster.restart(nodeId, options)))
  }

  resume(_target: Target): Promise<void> {
    throw new Failed('not there yet')
  }

  heal(_healed: Healed): Promise<readonly StandingFault[]> {
    throw new Failed('not there yet')
  }

  log(nodeId: NodeId, range: LogRange): Promise<LogOfNode | undefined> {
    return this.#cluster.log(nodeId, range)
  }

  story(): Story {
    return this.#cluster.story()
  }

  beginLoad(clients: number): void {
    if (this.#load !== undefined) throw new Failed('there is a load already: end it with load off')
    this.#load = new BackgroundLoad(this.#cluster, clients)
  }

  endLoad(): Seen | undefined {
    const load = this.#load
    this.#load = undefined
    return load?.end()
  }

  /** Roles mean those of the nodes for which the rule is true. */
  #castOf(mayBeMeant: (node: NodeTold) => boolean): Cast {
    const nodes = this.status()
    return {
      nodeIds: nodes.map(({ nodeId }) => nodeId),
      candidates: nodes.filter(mayBeMeant).map(({ nodeId }) => nodeId),
      leaderId: this.#cluster.leaderId,
      random: this.#random,
    }
  }
}
