/** What the scenarios share: clients that keep asking, and questions about what happened. */
import { encode, writePut } from '../../src/machine/index.js'
import type { NodeId } from '../../src/raft/index.js'
import type { Outcome, SimulatedCluster, SimulatedNode } from '../../src/sim/index.js'

/** The longest that any node waits before it campaigns, in milliseconds. */
export function longestTimeoutMs({ limits, tickMs }: SimulatedCluster): number {
  return 2 * limits.electionTimeoutTicks * tickMs
}

export function others(cluster: SimulatedCluster, ...ids: readonly NodeId[]): NodeId[] {
  return cluster.nodes.map(({ id }) => id).filter((id) => !ids.includes(id))
}

/** A node's view of its log; for a node that runs. */
export function logOf(node: SimulatedNode) {
  if (node.state === undefined) throw new Error(`node ${node.id} does not run`)
  return node.state.log
}

/** How often a node became leader from `sinceMs` on. */
export function elections(cluster: SimulatedCluster, sinceMs: number): number {
  return cluster.events.filter(
    ({ atMs, event }) => atMs >= sinceMs && event.type === 'role' && event.role === 'leader',
  ).length
}

/** Why a node changed its role, from `sinceMs` on. */
export function reasons(cluster: SimulatedCluster, nodeId: NodeId, sinceMs = 0): string[] {
  return cluster.events.flatMap(({ atMs, nodeId: of, event }) =>
    atMs >= sinceMs && of === nodeId && event.type === 'role' ? [event.reason] : [],
  )
}

/** Lets time pass until every running node has applied all that is committed. */
export function converge(cluster: SimulatedCluster, maxMs = 10_000): void {
  cluster.until(() => {
    const { index } = cluster.world.checker.ledger.last
    return cluster.nodes.every((node) => !node.isRunning || logOf(node).lastApplied === index)
  }, maxMs)
}

/** A request whose end is seen later. */
export function proposeTo(cluster: SimulatedCluster, nodeId: NodeId, key: string, value: string) {
  const request: { outcome: Outcome | undefined } = { outcome: undefined }
  const told = (outcome: Outcome): void => {
    request.outcome = outcome
  }
  cluster.send(nodeId, 'propose', [encode(writePut, key, value)], told, 60_000)
  return request
}

/** The value that a read of one key found: empty when there was none, `undefined` when it was not served. */
export function valueIn(outcome: Outcome | undefined): string | undefined {
  if (outcome?.outcome !== 'read') return undefined
  const [answer] = outcome.answers
  return answer !== undefined && 'record' in answer ? Buffer.from(answer.record.value).toString() : ''
}

/** Clients that write without a pause, each one command at a time, to whoever leads. */
export class Writers {
  acknowledged = 0
  #isStopped = false
  readonly #cluster: SimulatedCluster
  readonly #valueBytes: number
  #written = 0

  constructor(cluster: SimulatedCluster, count: number, valueBytes = 20) {
    this.#cluster = cluster
    this.#valueBytes = valueBytes
    for (let writer = 0; writer < count; writer++) this.#write()
  }

  stop(): void {
    this.#isStopped = true
  }

  #write(): void {
    if (this.#isStopped) return
    const number = ++this.#written
    const command = encode(writePut, `key-${number % 10}`, `${number}`.padEnd(this.#valueBytes, '.'))
    const told = ({ outcome }: Outcome): void => {
      if (outcome === 'applied') this.acknowledged++
      // Not all at once and for ever, where nobody leads.
      this.#cluster.world.time.after(outcome === 'applied' ? 0 : 5000, () => this.#write())
    }
    this.#cluster.send(this.#cluster.leader?.id ?? 1, 'propose', [command], told, 500)
  }
}
