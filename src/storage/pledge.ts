/**
 * What the directory of a cluster remembers of a member, outside of the member's own folder: who it is, and what it has
 * promised to others. A member's folder that is missing, foreign or put back from an older copy contradicts its pledge.
 * Such a member forgot a vote or entries that count elsewhere, so it must not take part as the one that it was.
 */
import { RaftError } from '../errors/index.js'
import { type EntryId, type HardState, logOrigin, type NodeId, type Term } from '../raft/index.js'

export interface Pledge {
  readonly nodeId: NodeId
  /**
   * Drawn anew for each disk that the member begins with, and written on that disk too. `undefined` in a directory that
   * was made before identities were remembered.
   */
  readonly identity: string | undefined
  /** The member's disk was begun: from then on, an empty one is one that was lost. */
  readonly hasBegun: boolean
  /** The latest term and vote that the member may have told anybody. Kept before the message leaves. */
  readonly hardState: HardState
  /**
   * An entry that is on the member's disk, the last one when the member was closed in order. While the member runs, its
   * ticks keep it up to date. Its term is 0 where it is not known.
   */
  readonly held: EntryId
  /** The member votes for nobody before its log ends in an entry of this term or a later one [EL21]. 0: it may vote at once. */
  readonly votesFromTerm: Term
}

/** Where a pledge is kept. */
export interface PledgePlace {
  readonly pledge: Pledge
  /** Takes its place; with `isPromise`, it survives a power loss on return. Throws when it cannot be kept. */
  keep(pledge: Pledge, isPromise: boolean): void
  close(): void
}

/** The pledge of a member that has not begun. */
export function newPledge(nodeId: NodeId, identity: string | undefined): Pledge {
  const hardState = { currentTerm: 0, votedFor: undefined }
  return { nodeId, identity, hasBegun: false, hardState, held: logOrigin, votesFromTerm: 0 }
}

/**
 * The pledge of a member that takes the place of one that lost its disk. The new member begins in the term after the last
 * one of the lost member. It therefore never votes a second time in a term, and its first message ends the term in which
 * the lost disk may have acknowledged entries.
 */
export function renewedPledge({ nodeId, hardState }: Pledge, identity: string): Pledge {
  const currentTerm = hardState.currentTerm + 1
  return {
    ...newPledge(nodeId, identity),
    hardState: { currentTerm, votedFor: undefined },
    votesFromTerm: currentTerm,
  }
}

/** True while the member must not vote, as far as the directory knows. */
export function isCatchingUp({ held, votesFromTerm }: Pledge): boolean {
  return held.term < votesFromTerm
}

/** What a disk says of itself. */
export interface FoundDisk {
  readonly identity: string | undefined
  readonly hardState: HardState
  readonly last: EntryId
}

/** Throws when the disk that was found cannot be the one that the pledge speaks of. */
export function checkPledge(pledge: Pledge, found: FoundDisk): void {
  const { nodeId, identity, hardState, held } = pledge
  if (found.identity !== identity) {
    throw lostDiskError(nodeId, 'its folder belongs to another cluster, or to an earlier disk of this node')
  }
  const { currentTerm, votedFor } = hardState
  const forgotVote =
    found.hardState.currentTerm === currentTerm &&
    votedFor !== undefined &&
    found.hardState.votedFor !== votedFor
  if (found.hardState.currentTerm < currentTerm || forgotVote) {
    const vote = votedFor === undefined ? '' : ` and voted for node ${votedFor}`
    throw lostDiskError(
      nodeId,
      `its folder is an older copy: the node took part in term ${currentTerm}${vote}`,
    )
  }
  if (found.last.index < held.index) {
    const ends = `its log ends in entry ${found.last.index}, and the node held entry ${held.index}`
    throw lostDiskError(nodeId, `its folder is an older copy: ${ends}`)
  }
}

/** Thrown for a disk that is empty although the member has begun. */
export function emptyDiskError({ nodeId, hardState, held }: Pledge): RaftError {
  return lostDiskError(
    nodeId,
    `its folder is missing or empty, and the node took part up to term ${hardState.currentTerm} and entry ${held.index}`,
  )
}

function lostDiskError(nodeId: NodeId, what: string): RaftError {
  const remedy = `put the newest copy of the folder back, or name the node in the option 'renew': it then begins anew, and votes for nobody until it has caught up, so that nothing acknowledged is lost`
  const why = `${what}; ${remedy}`
  return new RaftError('DISK_LOST', { nodeId, why })
}
