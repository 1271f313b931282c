/** A cluster on threads, or inline, as verbs see it. */
import type { Cluster } from '../cluster/index.js'
import type { ForTime, Target } from '../faults/index.js'
import { BackgroundLoad, type BackgroundOptions, type Seen } from '../load/index.js'
import type { LogOfNode, LogRange } from '../logbook/index.js'
import type { NodeId } from '../raft/index.js'
import type { MembershipTold, Story } from '../telemetry/index.js'
import { Failed } from '../terminal/index.js'
import type {
  Breaker,
  Changer,
  NodeTold,
  RangeTold,
  ReadTold,
  ReadWhere,
  SnapshotTold,
  Subject,
  ValueTold,
} from './subject.js'

export class ClusterSubject implements Subject {
  readonly breaker: Breaker
  readonly changer: Changer
  readonly #cluster: Cluster
  #load: BackgroundLoad | undefined

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.breaker = cluster.breaker
    this.changer = cluster.changer
  }

  get nodeIds(): readonly NodeId[] {
    return this.#cluster.status().map(({ nodeId }) => nodeId)
  }

  get membership(): MembershipTold | undefined {
    return this.#cluster.membership
  }

  now(): number {
    return Date.now()
  }

  status(): readonly NodeTold[] {
    return this.#cluster.status()
  }

  put = (key: string, value: string) => this.#cluster.put(key, value)

  async get(
    key: string,
    { from, isStale = false }: ReadWhere = {},
  ): Promise<ReadTold<ValueTold | undefined>> {
    const where = from === undefined ? {} : { from }
    if (isStale) return this.#cluster.get(key, { ...where, stale: true })
    return { answer: await this.#cluster.get(key, where) }
  }

  delete = (key: string) => this.#cluster.delete(key)

  async range(prefix: string, { from, isStale = false }: ReadWhere = {}): Promise<ReadTold<RangeTold>> {
    const where = from === undefined ? { prefix } : { prefix, from }
    if (isStale) return this.#cluster.range({ ...where, stale: true })
    return { answer: await this.#cluster.range(where) }
  }

  async kill(target: Target, options: ForTime): Promise<readonly NodeId[]> {
    return [await this.#cluster.kill(target, options)].flat()
  }

  restart(target: Target, options: { readonly renew?: boolean }): Promise<void> {
    return this.#cluster.restart(target, options)
  }

  snapshot(target: Target): Promise<readonly SnapshotTold[]> {
    return this.#cluster.snapshot(target)
  }

  async export(target: Target, file: string): Promise<SnapshotTold> {
    const { nodeId, index, term, size } = await this.#cluster.export(file, { from: target })
    return { nodeId, index, term, size }
  }

  log(nodeId: NodeId, range: LogRange): Promise<LogOfNode | undefined> {
    return this.#cluster.log(nodeId, range)
  }

  story(): Story {
    return this.#cluster.story()
  }

  /** Clients of the load in the background. */
  get loadClients(): number {
    return this.#load?.clients ?? 0
  }

  beginLoad(options: BackgroundOptions): void {
    if (this.#load !== undefined) throw new Failed('there is a load already: end it with load off')
    this.#load = new BackgroundLoad(this.#cluster, options)
  }

  endLoad(): Seen | undefined {
    const load = this.#load
    this.#load = undefined
    return load?.end()
  }
}
