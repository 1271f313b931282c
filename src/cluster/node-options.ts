/** The options of a node, from those of its cluster. */
import { join } from 'node:path'
import type { NodeOptions } from '../node/index.js'
import { defaultLimits, type Membership, type NodeId, type RaftLimits } from '../raft/index.js'
import type { ClusterDirectory } from './directory.js'
import { electionTimeoutTicksOf, type ResolvedOptions } from './options.js'
import { priorityOf } from './priorities.js'

/** Limits of the protocol, in ticks of one heartbeat. */
export function limitsOf(options: ResolvedOptions): RaftLimits {
  return { ...defaultLimits, heartbeatTicks: 1, electionTimeoutTicks: electionTimeoutTicksOf(options) }
}

/** `life` has the memory that is shared with the node in all its lives, and whether this life begins with a campaign. */
export function nodeOptionsOf(
  nodeId: NodeId,
  membership: Membership,
  options: ResolvedOptions,
  directory: ClusterDirectory,
  life: Pick<
    NodeOptions,
    'campaigns' | 'counters' | 'membershipMemory' | 'vitals' | 'latencies' | 'story' | 'board'
  >,
): NodeOptions {
  const { durability, machine, heartbeatIntervalMs, reads, logBytesMax, trailingBytes, diskBytesMax } =
    options
  const { recordDir } = options
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? nodeId
  return {
    ...life,
    nodeId,
    membership,
    durability,
    dir: directory.nodePath(nodeId),
    pledges: directory.pledgesPath,
    diskBytesMax,
    // A tick is as long as a heartbeat, since each wakes a thread of an idle cluster. Nodes tick at different moments, so
    // that election timeouts of equally many ticks still end apart.
    tickMs: heartbeatIntervalMs,
    reads,
    priority: priorityOf(nodeId, options.priorities),
    limits: limitsOf(options),
    bounds: { logBytesMax, trailingBytes },
    machine,
    machineName: directory.machine.machineName,
    seed,
    // Each life has a seed of its own, so that none writes over the recording of another.
    recording: recordDir && join(recordDir, `node-${nodeId}-${seed}.jsonl`),
  }
}
