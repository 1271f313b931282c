/** The nodes with a vote at a moment of a story. */
import { type Configuration, type Membership, type NodeId, tallyVotes } from '../raft/index.js'
import { configurationTold, type Story } from '../telemetry/index.js'

/** A moment at a node. Of what happened at that time, only what came before the sequence number counts. */
interface Moment {
  readonly nodeId: NodeId
  readonly atMs: number
  readonly sequence?: number
}

interface Told extends Configuration {
  readonly nodeId: NodeId
}

/**
 * The configuration by which a node went. While members change, nodes go by different ones, and a candidate or a leader
 * counts by its own. Of a node that told none, the newest one that any node told until then is taken.
 */
export function membershipAt(story: Story, moment: Moment): Membership {
  const told = toldUntil(story, moment)
  const own = told.findLast(({ nodeId }) => nodeId === moment.nodeId)
  if (own !== undefined) return own.membership
  let newest: Configuration | undefined = story.configuration
  for (const each of told) if (each.index >= (newest?.index ?? 0)) newest = each
  return newest?.membership ?? { voters: firstNodesOf(story), votersOutgoing: [], learners: [] }
}

/** The configurations that nodes told until then. */
function toldUntil({ happened }: Story, { atMs, sequence = Number.POSITIVE_INFINITY }: Moment): Told[] {
  return happened.flatMap((each): Told[] => {
    if (each.atMs > atMs || each.sequence >= sequence) return []
    const told = configurationTold(each)
    return told === undefined ? [] : [{ ...told, nodeId: each.nodeId }]
  })
}

/** A story of an older raftbox tells no first configuration: its voters are the nodes that ran before any campaigned. */
function firstNodesOf({ happened, nodeIds }: Story): readonly NodeId[] {
  if (!happened.some(({ type }) => type === 'membership')) return nodeIds
  const first = happened.find(({ type }) => type === 'role')?.sequence ?? Number.POSITIVE_INFINITY
  const isFirst = (id: NodeId): boolean =>
    happened.some(({ type, nodeId, sequence }) => type === 'started' && nodeId === id && sequence < first)
  const ids = nodeIds.filter(isFirst)
  return ids.length > 0 ? ids : nodeIds
}

/** All nodes with a vote: while a change is under way, also those that had one before it. */
export function votersOf({ voters, votersOutgoing }: Membership): readonly NodeId[] {
  return [...new Set([...voters, ...votersOutgoing])]
}

/** True when these nodes are a majority: while a change is under way, of the voters before it and of those after it. */
export function isMajority(membership: Membership, ids: readonly NodeId[]): boolean {
  return tallyVotes(membership, (id) => ids.includes(id)) === 'won'
}
