/** The part of a node in a configuration, as people are told it. */
import { isMember, isVoter, type Membership, type NodeId } from '../raft/index.js'

/**
 * `joint` for a node that has a vote in one half of a joint configuration only; `none` for a node that is no member yet, or
 * no more.
 */
export type MemberKind = 'voter' | 'learner' | 'joint' | 'none'

/** `undefined`: no configuration is known. */
export function memberKindOf(nodeId: NodeId, membership: Membership | undefined): MemberKind {
  if (membership === undefined || !isMember(membership, nodeId)) return 'none'
  if (!isVoter(membership, nodeId)) return 'learner'
  const { voters, votersOutgoing } = membership
  const isInBoth = votersOutgoing.length === 0 || votersOutgoing.includes(nodeId)
  return isInBoth && voters.includes(nodeId) ? 'voter' : 'joint'
}
