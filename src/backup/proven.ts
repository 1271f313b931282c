/** The entries that disks at rest prove to be committed. A disk does not hold how far its node knew of commits. */
import {
  assert,
  countOfLeading,
  type EntryId,
  isVoter,
  type LogIndex,
  logOrigin,
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

/** The entries that disks prove to be committed, together. */
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
  const [first] = electable
  if (first === undefined) return undefined
  const index = Math.min(...electable.map(({ log }) => commonIndex(first.log, log) ?? logOrigin.index))
  const beyond = disks.find(({ log }) => (log.snapshot?.index ?? 0) > index)
  if (beyond !== undefined) {
    const committed = `entry ${beyond.log.snapshot?.index} is committed, as node ${beyond.nodeId} knows`
    throw new Error(`holds disks that contradict each other: ${committed}, and others could lead without it`)
  }
  const term = first.log.termAt(index)
  assert(term !== undefined, 'a log is cut behind its snapshot only')
  return { last: { index, term }, log: first.log, electable: electable.map(({ nodeId }) => nodeId) }
}

/**
 * The last entry in a log that is proven. Without a proof, and where the log ends before the proven one begins, the log's
 * snapshot proves the entries that it covers.
 */
export function provenIn(log: RaftLog, proof: Proof | undefined): EntryId {
  const common = proof && commonIndex(proof.log, log)
  if (common === undefined) return log.snapshot ?? logOrigin
  const index = Math.min(proof?.last.index ?? common, common)
  return { index, term: log.termAt(index) ?? log.base.term }
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

/**
 * The last entry up to which two logs are the same: logs that share an entry share all before it (Figure 3). `undefined`:
 * one is cut off where the other ends or goes another way, so that they cannot be compared.
 */
function commonIndex(one: RaftLog, other: RaftLog): LogIndex | undefined {
  const isShared = (index: LogIndex): boolean => one.termAt(index) === other.termAt(index)
  const from = Math.max(one.base.index, other.base.index)
  const to = Math.min(one.lastIndex, other.lastIndex)
  if (to < from || !isShared(from)) return undefined
  return from + countOfLeading(to - from, (at) => isShared(from + 1 + at))
}
