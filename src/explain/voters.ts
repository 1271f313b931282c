/** The nodes with a vote at a moment of a story. */
import type { NodeId } from '../raft/index.js'
import type { Story } from '../telemetry/index.js'

/** By the latest configuration that was told until then; before any was, the nodes that had started. */
export function votersAt({ happened, nodeIds }: Story, atMs: number): readonly NodeId[] {
  const told = happened.findLast((event) => event.type === 'membership' && event.atMs <= atMs)
  if (told?.type === 'membership') return told.membership.voters
  if (!happened.some(({ type }) => type === 'membership')) return nodeIds
  return nodeIds.filter((id) =>
    happened.some(
      ({ type, nodeId, atMs: sinceMs }) => type === 'started' && nodeId === id && sinceMs <= atMs,
    ),
  )
}
