/** The nodes that shall lead: a wish of the program, where several could. */
import type { NodeId } from '../raft/index.js'
import type { NodeStatus } from './member.js'

/** By node; 0: the node never leads. */
export type Priorities = Readonly<Record<NodeId, number>>

const priorityDefault = 1

export function priorityOf(nodeId: NodeId, priorities: Priorities): number {
  return priorities[nodeId] ?? priorityDefault
}

/**
 * The node that campaigns as soon as the cluster starts, so that nobody waits for an election timeout: one of the highest
 * priority, by chance. In a cluster that has had a leader, the nodes may have promised it to elect nobody yet, and wait.
 */
export function firstToCampaign(nodeIds: readonly NodeId[], priorities: Priorities): NodeId | undefined {
  const highest = Math.max(...nodeIds.map((nodeId) => priorityOf(nodeId, priorities)))
  const best = nodeIds.filter((nodeId) => priorityOf(nodeId, priorities) === highest)
  return best[Math.floor(Math.random() * best.length)]
}

/** The running voter of the highest priority above that of the leader, if it has all that the leader has committed. */
export function preferredTo(
  leaderId: NodeId,
  nodes: readonly NodeStatus[],
  priorities: Priorities,
): NodeId | undefined {
  const leader = nodes.find(({ nodeId }) => nodeId === leaderId)
  const [best] = electable(leaderId, nodes, priorities)
  if (leader === undefined || best === undefined || best.lastIndex < leader.commitIndex) return undefined
  return priorityOf(best.nodeId, priorities) > priorityOf(leaderId, priorities) ? best.nodeId : undefined
}

/** The running voter that is to lead next: of the highest priority, and of several the one whose log is longest. */
export function successorOf(
  leaderId: NodeId,
  nodes: readonly NodeStatus[],
  priorities: Priorities,
): NodeId | undefined {
  return electable(leaderId, nodes, priorities)[0]?.nodeId
}

function electable(leaderId: NodeId, nodes: readonly NodeStatus[], priorities: Priorities): NodeStatus[] {
  return nodes
    .filter(({ nodeId, member, state }) => nodeId !== leaderId && member === 'voter' && state === 'running')
    .filter(({ nodeId }) => priorityOf(nodeId, priorities) > 0)
    .sort(
      (one, other) =>
        priorityOf(other.nodeId, priorities) - priorityOf(one.nodeId, priorities) ||
        other.lastIndex - one.lastIndex,
    )
}
