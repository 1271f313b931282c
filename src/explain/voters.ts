/** The nodes with a vote at a moment of a story. */
import type { NodeId } from '../raft/index.js'
import type { Happened, Story } from '../telemetry/index.js'

/**
 * By the newest configuration that was told until then, since a node that lags tells older ones late; before any was told,
 * the nodes that had started.
 */
export function votersAt({ happened, nodeIds }: Story, atMs: number): readonly NodeId[] {
  let newest: Extract<Happened, { type: 'membership' }> | undefined
  for (const event of happened)
    if (event.type === 'membership' && event.atMs <= atMs && event.index >= (newest?.index ?? 0))
      newest = event
  if (newest !== undefined) return newest.membership.voters
  if (!happened.some(({ type }) => type === 'membership')) return nodeIds
  return nodeIds.filter((id) =>
    happened.some(
      ({ type, nodeId, atMs: sinceMs }) => type === 'started' && nodeId === id && sinceMs <= atMs,
    ),
  )
}
