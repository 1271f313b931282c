/** Changes of the members at the leader (§6, thesis chapter 4). */
import type { OperationRefusal, Proposed } from './border.js'
import { changed, isJoint, type MembershipChange, membershipRun, whyNotChanges } from './configuration.js'
import { isMember, membersOf, quorumIndex } from './quorum.js'
import { followMembership } from './roles.js'
import { isLeader, type LeaderState, type RaftState } from './state.js'
import { handingOver, notLeading } from './transfer.js'
import type { EntryId, Membership, NodeId } from './types.js'

/**
 * A configuration is appended like a command, and counts from then on. The changes are done once the first configuration
 * after them that is not joint is committed. A leader makes a single change at a time, and none before it knows what is
 * committed: else two configurations without a common majority could both count (the mistake of thesis §4.1 that Ongaro told
 * of in 2015). Nor does the leader call a change invalid before then, since a change that its log lacks may still be committed.
 */
export function onChangeMembership(
  state: RaftState,
  changes: readonly MembershipChange[],
): Proposed | OperationRefusal {
  const { leaderId, log, currentTerm } = state
  if (!isLeader(state)) return { code: 'notLeader', leaderId, why: notLeading }
  if (log.termAt(log.commitIndex) !== currentTerm) {
    const why = 'the leader has not committed an entry of its term yet'
    return { code: 'changeInProgress', leaderId, why }
  }
  const invalid = whyNotChanges(log.membership, changes) ?? whyNotAgain(state, changes)
  if (invalid !== undefined) return { code: 'invalid', leaderId, why: invalid }
  if (state.leadership.transfer !== undefined) return { code: 'transferring', leaderId, why: handingOver }
  if (log.membershipIndex > log.commitIndex || isJoint(log.membership)) {
    const why = 'an earlier change of the members has not ended yet'
    return { code: 'changeInProgress', leaderId, why }
  }
  const next = changed(log.membership, changes)
  const behind = whyNotCaughtUp(state, changes) ?? whyNoQuorum(state, next)
  if (behind !== undefined) return { code: 'notCaughtUp', leaderId, why: behind }
  return { first: appendMembership(state, next) }
}

/** Appends a configuration, which the leader goes by at once. */
export function appendMembership(state: LeaderState, membership: Membership): EntryId {
  const { log, currentTerm: term } = state
  const first = { index: log.lastIndex + 1, term }
  const gone = membersOf(log.membership).filter((id) => !isMember(membership, id))
  state.leadership.formerMembers.push(...gone)
  log.push(membershipRun(first.index, term, membership))
  followMembership(state, state.leadership.progress)
  return first
}

/** An answer of the removed node that comes late would count for the new one, whose disk is empty. */
function whyNotAgain({ leadership }: LeaderState, changes: readonly MembershipChange[]): string | undefined {
  const again = changes.find(
    ({ type, nodeId }) => type === 'addLearner' && leadership.formerMembers.includes(nodeId),
  )
  return again && `node ${again.nodeId} was removed: a node that is added again has a new id`
}

/** A learner votes once a single AppendEntries would bring it up to date, so that no commit waits for it (thesis §4.2.1). */
function whyNotCaughtUp(
  { log, limits, leadership }: LeaderState,
  changes: readonly MembershipChange[],
): string | undefined {
  for (const { type, nodeId } of changes) {
    if (type !== 'promote') continue
    const progress = leadership.progress.get(nodeId)
    const isClose =
      progress?.state === 'replicate' && log.weightAfter(progress.matchIndex) <= limits.appendBytesMax
    if (!isClose) return `node ${nodeId} has not caught up with the leader's log yet`
  }
  return undefined
}

/** A configuration of which no majority answers could neither be committed nor be changed again. */
function whyNoQuorum({ id: self, leadership }: LeaderState, next: Membership): string | undefined {
  const isHeard = (id: NodeId) => id === self || leadership.progress.get(id)?.isHeard() === true
  if (quorumIndex(next, (id) => (isHeard(id) ? 1 : 0)) === 1) return undefined
  const silent = next.voters.filter((id) => !isHeard(id)).join(', ')
  return `of the voters that would be left no majority answers (silent: ${silent})`
}
