/** The commit of entries, and what follows when the entry is a configuration (§5.3, §5.4, §6). */

import { isJoint, leaving } from './configuration.js'
import { appendMembership } from './membership-changes.js'
import { isVoter, quorumIndex } from './quorum.js'
import type { LeaderState } from './state.js'
import { handOver } from './transfer.js'
import type { LogIndex, NodeId } from './types.js'

/** Our own copy counts once it is on disk, like everyone else's. */
function matchIndexOf({ id: self, log, leadership }: LeaderState, id: NodeId): LogIndex {
  if (id === self) return log.flushedIndex
  return leadership.progress.get(id)?.matchIndex ?? 0
}

/**
 * If there exists an N > commitIndex that a majority has, and log[N].term == currentTerm: commitIndex = N.
 * Entries of earlier terms are committed by it, never by counting (§5.4.2, Figure 8).
 */
export function maybeCommit(state: LeaderState): void {
  const { log } = state
  const reached = quorumIndex(log.membership, (id) => matchIndexOf(state, id))
  if (reached <= log.commitIndex || log.termAt(reached) !== state.currentTerm) return
  log.commitIndex = reached
  if (log.membershipIndex <= reached) onMembershipCommitted(state)
}

/**
 * A joint configuration is left as soon as it is committed, also by a leader that found it in its log. A leader that is
 * no voter any more leads until the configuration without it is committed, and then hands over (thesis §4.2.2).
 */
function onMembershipCommitted(state: LeaderState): void {
  const { log, leadership, id } = state
  if (isJoint(log.membership)) appendMembership(state, leaving(log.membership))
  else if (!isVoter(log.membership, id) && leadership.transfer === undefined) handOver(state)
}
