/** Helpers of the tests of faults on real nodes. */
import { type Cluster, type ClusterEvent, type ClusterOptions, RaftError } from '../../src/cluster/index.js'
import type { NodeId } from '../../src/raft/index.js'
import { startedCluster } from './support.js'

export interface Broken {
  readonly cluster: Cluster
  /** Events since the start. */
  readonly events: readonly ClusterEvent[]
  readonly leader: NodeId
  /** The other nodes, by id. */
  readonly others: readonly NodeId[]
}

/** A cluster that leads, in which a first write is acknowledged by all. */
export async function brokenCluster(options: ClusterOptions = {}): Promise<Broken> {
  const cluster = await startedCluster({ requestTimeoutMs: 2000, ...options })
  const events: ClusterEvent[] = []
  cluster.events.on('event', (event) => void events.push(event))
  await writes(cluster, 'first')
  const nodeIds = cluster.status().map(({ nodeId }) => nodeId)
  await until(() => new Set(cluster.status().map(({ lastApplied }) => lastApplied)).size === 1)
  const leader = await leads(cluster)
  return { cluster, events, leader, others: nodeIds.filter((nodeId) => nodeId !== leader) }
}

/** Waits until the rule is true; the test's own limit of time ends what never becomes true. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** The leader once there is one, other than those. */
export async function leads(cluster: Cluster, ...except: readonly NodeId[]): Promise<NodeId> {
  await until(() => cluster.leaderId !== undefined && !except.includes(cluster.leaderId))
  return cluster.leaderId ?? 0
}

export function statusOf(cluster: Cluster, nodeId: NodeId) {
  const status = cluster.status().find((node) => node.nodeId === nodeId)
  if (status === undefined) throw new Error(`no node ${nodeId}`)
  return status
}

/** Writes until one is acknowledged. */
export async function writes(cluster: Cluster, key: string, value = '1'): Promise<void> {
  for (;;) {
    try {
      await cluster.put(key, value)
      return
    } catch (error) {
      if (!(error instanceof RaftError)) throw error
    }
  }
}

/** How often another node came to lead. */
export function changesOfLeader(events: readonly ClusterEvent[]): number {
  return events.filter((event) => event.type === 'role' && event.role === 'leader').length
}
