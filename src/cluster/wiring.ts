/** The links between the nodes of a cluster: each node has one to each other. */
import type { NodeId } from '../raft/index.js'
import { createLink, type LinkEnd } from '../transport/index.js'
import type { Member } from './member.js'

/** Links between nodes that all begin now: the ends of each. */
export function linksAmong(nodeIds: readonly NodeId[]): ReadonlyMap<NodeId, readonly LinkEnd[]> {
  const links = new Map<NodeId, LinkEnd[]>(nodeIds.map((nodeId) => [nodeId, []]))
  for (const [first, ofFirst] of links) {
    for (const [second, ofSecond] of links) {
      if (first >= second) continue
      const [firstEnd, secondEnd] = createLink(first, second)
      ofFirst.push(firstEnd)
      ofSecond.push(secondEnd)
    }
  }
  return links
}

/** The links of a node that begins now. */
interface NewLinks {
  readonly ends: readonly LinkEnd[]
  /** Once the others have their ends. */
  readonly connected: Promise<unknown>
}

/**
 * New links between a node that begins now and all that run; each of those gets its end. A node that ends meanwhile closes
 * its link, and a closed end cannot be handed on: so `ends` have to leave for the new node before anything is waited for.
 */
export function linksToRunning(nodeId: NodeId, members: Iterable<Member>): NewLinks {
  const ends: LinkEnd[] = []
  const connected: Promise<void>[] = []
  for (const { node, board, nodeId: otherId } of othersRunning(nodeId, members)) {
    const [own, theirs] = createLink(nodeId, otherId)
    ends.push(own)
    // A node that fails just now takes no link, and needs none: its own restart makes a new one.
    if (node !== undefined) connected.push(board.connect(theirs, node))
  }
  return { ends, connected: Promise.all(connected) }
}

/** Closes the ends that the others have of the links to a node that does not come back. */
export async function unlink(nodeId: NodeId, members: Iterable<Member>): Promise<void> {
  for (const { node, board } of othersRunning(nodeId, members)) {
    if (node !== undefined) await board.disconnect(nodeId, node)
  }
}

function othersRunning(nodeId: NodeId, members: Iterable<Member>): Member[] {
  return [...members].filter((member) => member.nodeId !== nodeId && member.state === 'running')
}
