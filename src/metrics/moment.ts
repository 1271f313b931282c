/** The moment of a scrape: all that a cluster tells then, without asking its nodes. */
import type { ClusterLook, NodeLook, NodeStatus } from '../cluster/index.js'
import type { StandingFault } from '../faults/index.js'
import type { NodeId } from '../raft/index.js'
import type { LatenciesTold, ProgressTold, QueuesTold } from '../telemetry/index.js'

type Highest = Pick<NodeStatus, 'commitIndex' | 'lastApplied'>

export interface Moment extends Pick<ClusterLook, 'calls' | 'loopLate' | 'happeningsMissed'> {
  readonly nodes: readonly NodeNow[]
  readonly faults: readonly StandingFault[]
  /** How much was left out since somebody was slow, by what it was. */
  readonly dropped: Readonly<Record<string, number>>
}

export interface NodeNow extends NodeStatus {
  /** The highest index that the node ever knew to be committed, and that it ever had applied. */
  readonly highest: Highest
  readonly latencies: LatenciesTold
  /** The node runs and is not frozen. Otherwise it leads nobody and nothing waits in it, whatever it told last. */
  readonly isUp: boolean
  readonly isLeader: boolean
  readonly isLeaseHeld: boolean
  readonly isSnapshotIncoming: boolean
  /** `undefined`: the node is not up. */
  readonly queues: QueuesTold | undefined
  /** Of a leader: how far each other node is. */
  readonly progress: readonly ProgressTold[]
}

/** The parts of a cluster that a look takes. */
export interface Looked {
  status(): readonly NodeStatus[]
  look(): ClusterLook
  readonly faults: readonly StandingFault[]
}

/** Looks at one cluster again and again. */
export class Looks {
  readonly #cluster: Looked
  readonly #dropped: () => Readonly<Record<string, number>>
  readonly #highest = new Map<NodeId, Highest>()

  constructor(cluster: Looked, dropped: () => Readonly<Record<string, number>>) {
    this.#cluster = cluster
    this.#dropped = dropped
  }

  now(): Moment {
    const { nodes, ...look } = this.#cluster.look()
    const lookOf = new Map(nodes.map((node) => [node.nodeId, node]))
    const told = this.#cluster.status().flatMap((status) => {
      const node = lookOf.get(status.nodeId)
      return node === undefined ? [] : nodeNowOf(status, node, this.#highestOf(status))
    })
    return { ...look, nodes: told, faults: this.#cluster.faults, dropped: this.#dropped() }
  }

  /** A node that comes back knows of fewer committed entries than before. They are committed all the same. */
  #highestOf({ nodeId, commitIndex, lastApplied }: NodeStatus): Highest {
    const before = this.#highest.get(nodeId) ?? { commitIndex: 0, lastApplied: 0 }
    const highest = {
      commitIndex: Math.max(before.commitIndex, commitIndex),
      lastApplied: Math.max(before.lastApplied, lastApplied),
    }
    this.#highest.set(nodeId, highest)
    return highest
  }
}

function nodeNowOf(status: NodeStatus, { vitals, ...latencies }: NodeLook, highest: Highest): NodeNow {
  const isUp = status.state === 'running'
  const isLeader = isUp && status.role === 'leader'
  return {
    ...status,
    latencies,
    highest,
    isUp,
    isLeader,
    isLeaseHeld: isLeader && vitals?.isLeaseHeld === true,
    isSnapshotIncoming: isUp && vitals?.isSnapshotIncoming === true,
    queues: isUp ? vitals?.queues : undefined,
    progress: isLeader ? (vitals?.progress ?? []) : [],
  }
}
