/** The members of a cluster in rows, with what the leader knows of each, and the change that is under way. */
import type { Frame, NodeFrame } from '../observer/index.js'
import type { NodeId } from '../raft/index.js'
import { membersInWords, nodesOf } from '../telemetry/index.js'

export interface MemberRow {
  readonly nodeId: NodeId
  readonly member: NodeFrame['member']
  readonly state: NodeFrame['state']
  readonly isLeader: boolean
  /** Entries that the leader has and the node is not known to have. `undefined`: nobody knows. */
  readonly lag: number | undefined
  readonly isSnapshotSent: boolean
  /** The verbs that would change something. */
  readonly verbs: readonly ('transfer' | 'promote' | 'demote' | 'remove' | 'replace')[]
}

export function memberRows({ nodes, leaderId }: Frame): readonly MemberRow[] {
  const leader = nodes.find(({ nodeId }) => nodeId === leaderId)
  return nodes.map((node): MemberRow => {
    const { nodeId, member, state } = node
    const progress = leader?.progress.find((each) => each.nodeId === nodeId)
    const isLeader = nodeId === leaderId
    const isUp = state === 'running' || state === 'paused'
    const lag =
      leader === undefined || progress === undefined ? undefined : leader.lastIndex - progress.matchIndex
    return {
      ...{ nodeId, member, state, isLeader },
      lag: isLeader ? 0 : lag,
      isSnapshotSent: progress?.isSnapshotSent ?? false,
      verbs: [
        ...(member === 'voter' && isUp && !isLeader ? (['transfer'] as const) : []),
        ...(member === 'learner' ? (['promote'] as const) : []),
        ...(member === 'voter' ? (['demote'] as const) : []),
        'remove',
        'replace',
      ],
    }
  })
}

/** The configuration in one sentence, and what is being changed. */
export function configurationIn({ membership: told }: Frame): {
  readonly words: string
  /** Empty: nothing is under way. */
  readonly changes: readonly string[]
} {
  if (told === undefined) return { words: 'no configuration is known yet', changes: [] }
  const { membership, index, isCommitted, transferTo } = told
  const { voters, votersOutgoing } = membership
  const majority = (of: readonly NodeId[]) => Math.floor(of.length / 2) + 1
  const needs =
    votersOutgoing.length === 0
      ? `${majority(voters)} of ${voters.length} voters make a majority`
      : `a majority needs ${majority(voters)} of ${nodesOf(voters)} and ${majority(votersOutgoing)} of ${nodesOf(votersOutgoing)}`
  return {
    words: `${membersInWords(membership)}: ${needs}`,
    changes: [
      ...(votersOutgoing.length > 0
        ? ['joint: the voters of before still count, until the new ones are committed']
        : []),
      ...(isCommitted ? [] : [`entry ${index} with this configuration is not committed yet`]),
      ...(transferTo === undefined ? [] : [`the leader hands over to node ${transferTo}`]),
    ],
  }
}
