/** The entries that disks at rest prove to be committed. A disk does not hold how far its node knew of commits. */
import {
  countOfLeading,
  type EntryId,
  isVoter,
  type LogIndex,
  type NodeId,
  type RaftLog,
  type Term,
  tallyVotes,
} from '../raft/index.js'

/** A disk of a member, as it was found. */
export interface Disk {
  readonly nodeId: NodeId
  /** Its latest configuration is the one that the node goes by. */
  readonly log: RaftLog
  /** The node votes for nobody before its log ends in an entry of this term or a later one [EL21]. */
  readonly votesFromTerm: Term
}

/** What disks prove, together. */
export interface Proof {
  /** The last entry that is proven. */
  readonly last: EntryId
  /** A log that holds it. */
  readonly log: RaftLog
  /** The nodes that these disks could make leader. */
  readonly electable: readonly NodeId[]
}

/**
 * The longest prefix that is in the log of every leader whom these disks could elect. A committed entry is in the log of
 * every later leader, so no acknowledged command is missing. And whoever leads next commits all of the prefix with the
 * first entry of its term, so nothing in it is ever taken back. Entries behind the prefix may still go either way.
 *
 * `undefined`: these disks can elect nobody, as when a majority is lost.
 */
export function provenBy(disks: readonly Disk[]): Proof | undefined {
  const electable = disks.filter((disk) => isElectable(disk, disks))
  const [first, ...others] = electable
  if (first === undefined) return undefined
  const index = Math.min(first.log.lastIndex, ...others.map(({ log }) => commonIndex(first.log, log)))
  const beyond = disks.find(({ log }) => (log.snapshot?.index ?? 0) > index)
  const term = first.log.termAt(index)
  if (beyond !== undefined || term === undefined) {
    const known = `node ${beyond?.nodeId ?? first.nodeId} knows that more is committed`
    throw new Error(`holds disks that contradict each other: they agree up to entry ${index}, and ${known}`)
  }
  return { last: { index, term }, log: first.log, electable: electable.map(({ nodeId }) => nodeId) }
}

/**
 * A candidate wins with the votes of a majority whose logs are no more up to date than its own (§5.4.1). A node that its
 * latest configuration leaves out may be a candidate as long as that one may not be committed [CF13].
 */
function isElectable({ nodeId, log, votesFromTerm }: Disk, disks: readonly Disk[]): boolean {
  const { membership, membershipBefore = membership } = log
  const isCandidate = isVoter(membership, nodeId) || isVoter(membershipBefore, nodeId)
  if (!isCandidate || log.last.term < votesFromTerm) return false
  const voters = new Set(
    disks
      .filter((voter) => voter.log.last.term >= voter.votesFromTerm && voter.log.isUpToDate(log.last))
      .map((voter) => voter.nodeId),
  )
  return tallyVotes(log.membership, (id) => voters.has(id)) === 'won'
}

/** The last entry up to which two logs are the same: logs that share an entry share all before it (Figure 3). */
export function commonIndex(one: RaftLog, other: RaftLog): LogIndex {
  const from = Math.max(one.base.index, other.base.index)
  const to = Math.min(one.lastIndex, other.lastIndex)
  if (to <= from) return to
  return from + countOfLeading(to - from, (at) => one.termAt(from + 1 + at) === other.termAt(from + 1 + at))
}
