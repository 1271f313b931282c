/** The votes that were given in a term. */
import type { NodeId, Term, VoteReason } from '../raft/index.js'
import type { Happened } from '../telemetry/index.js'
import type { RoleChange } from './timeline.js'

export interface Vote {
  readonly atMs: number
  readonly voterId: NodeId
  readonly candidateId: NodeId
  readonly term: Term
  readonly isPreVote: boolean
  readonly voteGranted: boolean
  readonly reason: VoteReason
}

type VoteAnswered = Extract<Happened, { type: 'voteAnswered' }>

export function votesIn(
  happened: readonly Happened[],
  campaigns: readonly RoleChange[],
  term: Term,
  last: RoleChange,
): Vote[] {
  const firstSequence = campaigns[0]?.sequence ?? last.sequence
  const votes = new Map<string, Vote>()
  for (const each of happened) {
    if (each.type !== 'voteAnswered' || each.term !== term || each.sequence < firstSequence) continue
    if (isTooLate(each, last)) continue
    const { atMs, nodeId: voterId, candidateId, isPreVote, voteGranted, reason } = each
    const key = `${voterId} ${candidateId} ${isPreVote}`
    // A candidate asks again until it is answered: the last answer counts, and a yes keeps the reason of the first yes.
    if (reason === 'votedBefore' && votes.get(key)?.voteGranted === true) continue
    votes.set(key, {
      atMs,
      voterId,
      candidateId,
      term,
      isPreVote,
      voteGranted,
      reason,
    })
  }
  return [...votes.values()].sort((a, b) => a.atMs - b.atMs)
}

/** The election was won before: the answer is no late vote for the winner, so it belongs to a later campaign. */
function isTooLate({ sequence, candidateId, reason }: VoteAnswered, last: RoleChange): boolean {
  const isOfWinner = candidateId === last.nodeId && reason !== 'leaderMayBeAlive'
  return last.role === 'leader' && sequence > last.sequence && !isOfWinner
}
