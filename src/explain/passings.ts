/** The times at which each node came past an index in each stage, out of rows that tell how far the node has come. */
import type { LogIndex, NodeId } from '../raft/index.js'
import type { Happened, Passed, Stage, Story } from '../telemetry/index.js'

/** A moment on a command's way. */
export interface Step {
  readonly atMs: number
  readonly nodeId: NodeId
  readonly stage: Stage
  /** To whom it was sent, from whom it was received, who acknowledged it. */
  readonly peer: NodeId | undefined
}

/**
 * All moments at which a node came past the index, in the order of time. Entries that are truncated and come anew pass
 * the index again, since a row of a lower index lies between.
 */
export function passingsOf({ passed, happened }: Story, index: LogIndex): Step[] {
  const rows = [...passed].sort((a, b) => a.atMs - b.atMs)
  const knownSinceMs = knownBelow(rows, happened, index)
  const wasBelow = new Map<string, boolean>()
  const found: Step[] = []
  for (const { nodeId, stage, peer, atMs, index: upTo } of rows) {
    const way = `${nodeId} ${stage} ${peer}`
    // The first row that is kept may be far behind the moment at which the node came past the index.
    const isFromBelow = wasBelow.get(way) ?? (knownSinceMs.get(nodeId) ?? Number.POSITIVE_INFINITY) <= atMs
    if (upTo >= index && isFromBelow) found.push({ atMs, nodeId, stage, peer })
    wasBelow.set(way, upTo < index)
  }
  return found
}

/** The time from which the rows of all nodes are kept, but for rows of commits, some of which are kept for longer. */
export function allKeptSinceMs({ passed, happened }: Story): number {
  const first = new Map<NodeId, Passed>()
  for (const row of passed) {
    const known = first.get(row.nodeId)
    if (row.stage !== 'committed' && (known === undefined || row.atMs < known.atMs))
      first.set(row.nodeId, row)
  }
  let sinceMs = Number.NEGATIVE_INFINITY
  for (const { nodeId, index, atMs } of first.values()) {
    if (!isFirstOfLife(happened, nodeId, index, Number.POSITIVE_INFINITY)) sinceMs = Math.max(sinceMs, atMs)
  }
  return sinceMs
}

/**
 * The time from which all rows of a node are kept, for nodes that had not come to the index by then. Rows of commits do
 * not count: some of them are kept for longer than all others.
 */
function knownBelow(
  rows: readonly Passed[],
  happened: readonly Happened[],
  index: LogIndex,
): Map<NodeId, number> {
  const known = new Map<NodeId, number>()
  const seen = new Set<NodeId>()
  for (const { nodeId, stage, atMs, index: upTo } of rows) {
    if (stage === 'committed') continue
    if (!seen.has(nodeId) && isFirstOfLife(happened, nodeId, upTo, index)) {
      known.set(nodeId, Number.NEGATIVE_INFINITY)
    }
    seen.add(nodeId)
    if (upTo < index && !known.has(nodeId)) known.set(nodeId, atMs)
  }
  return known
}

/** The row is the first one of a node's life: it tells of the entry after those with which the node started. */
function isFirstOfLife(
  happened: readonly Happened[],
  nodeId: NodeId,
  upTo: LogIndex,
  index: LogIndex,
): boolean {
  return happened.some(
    (each) =>
      each.type === 'started' &&
      each.nodeId === nodeId &&
      each.lastIndex < index &&
      upTo <= each.lastIndex + 1,
  )
}
