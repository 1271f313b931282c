/** Majorities: of votes, and of positions in the log. A joint configuration needs both halves (§6). */
import type { LogIndex, Membership, NodeId } from './types.js'

/** The smallest number of voters that any other such number overlaps with. */
export function majorityOf(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1
}

export type Verdict = 'won' | 'lost' | 'pending'

/** What the votes cast so far amount to. `voteOf` is `undefined` for who has not answered. */
export function tallyVotes(membership: Membership, voteOf: (id: NodeId) => boolean | undefined): Verdict {
  const incoming = tallyHalf(membership.voters, voteOf)
  if (membership.votersOutgoing.length === 0) return incoming
  const outgoing = tallyHalf(membership.votersOutgoing, voteOf)
  if (incoming === outgoing) return incoming
  return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending'
}

function tallyHalf(voters: readonly NodeId[], voteOf: (id: NodeId) => boolean | undefined): Verdict {
  const needed = majorityOf(voters.length)
  let granted = 0
  let refused = 0
  for (const id of voters) {
    const vote = voteOf(id)
    if (vote === true) granted++
    else if (vote === false) refused++
  }
  if (granted >= needed) return 'won'
  return voters.length - refused < needed ? 'lost' : 'pending'
}

/** The highest index that a majority has reached, of both halves when there are two. */
export function quorumIndex(membership: Membership, matchIndexOf: (id: NodeId) => LogIndex): LogIndex {
  const incoming = quorumIndexOfHalf(membership.voters, matchIndexOf)
  if (membership.votersOutgoing.length === 0) return incoming
  return Math.min(incoming, quorumIndexOfHalf(membership.votersOutgoing, matchIndexOf))
}

function quorumIndexOfHalf(voters: readonly NodeId[], matchIndexOf: (id: NodeId) => LogIndex): LogIndex {
  if (voters.length === 0) return 0
  const reached = voters.map(matchIndexOf).sort((a, b) => b - a)
  return reached[majorityOf(voters.length) - 1] ?? 0
}

export function isVoter(membership: Membership, id: NodeId): boolean {
  return membership.voters.includes(id) || membership.votersOutgoing.includes(id)
}

export function isMember(membership: Membership, id: NodeId): boolean {
  return isVoter(membership, id) || membership.learners.includes(id)
}

/** Everyone who receives the log, each once, in a fixed order. */
export function membersOf(membership: Membership): NodeId[] {
  const all = new Set([...membership.voters, ...membership.votersOutgoing, ...membership.learners])
  return [...all].sort((a, b) => a - b)
}
