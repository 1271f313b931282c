/**
 * The memory that a cluster's directory has of a member, outside of the member's own folder: its identity, and its
 * promises to others. A member's folder that is missing, foreign or put back from an older copy contradicts its pledge.
 * A member with such a folder forgot a vote or entries that count elsewhere, so it must not take part as the one that it was.
 */
import { RaftError } from '../errors/index.js'
import {
  type EntryId,
  type HardState,
  type LogIndex,
  logOrigin,
  type NodeId,
  type Term,
} from '../raft/index.js'

export interface Pledge {
  readonly nodeId: NodeId
  /**
   * Drawn anew for each disk that the member begins with, and written on that disk too. `undefined` in a directory that
   * was made before identities were remembered.
   */
  readonly identity: string | undefined
  /** The member's disk was begun: from then on, an empty one is one that was lost. */
  readonly hasBegun: boolean
  /**
   * The last start of the member, by a name drawn anew for each start; while a start is under way, that name as well. The
   * disk carries one of them. A copy of the disk from before that start, and one that was started elsewhere, carry another.
   */
  readonly lives: readonly string[]
  /** The latest term and vote that the member may have told anybody. Kept before the message leaves. */
  readonly hardState: HardState
  /**
   * The last entry on the member's disk. A crash of the process or a power loss may leave an earlier one here. Its term is
   * 0 where it is not known.
   */
  readonly held: EntryId
  /** The member votes for nobody before its log ends in an entry of this term or a later one [EL21]. 0: it may vote at once. */
  readonly votesFromTerm: Term
  /** The member was taken out of the cluster for good: its id is never given again. */
  readonly isRemoved?: boolean
}

/** Where a pledge is kept. */
export interface PledgePlace {
  readonly pledge: Pledge
  /** A name for a start that no other start has. */
  newLife(): string
  /** Takes its place; with `isPromise`, it survives a power loss on return. Throws when it cannot be kept. */
  keep(pledge: Pledge, isPromise: boolean): void
  /**
   * Changes what is held, without a flush: a crash of the process may lose what was held last. Each write of the log calls
   * this.
   */
  hold(index: LogIndex, term: Term): void
  close(): void
}

/** Stands for the life of a disk that was begun and not started yet, as by an earlier version. */
export const noLife = ''

/** The pledge of a member that has not begun. */
export function newPledge(nodeId: NodeId, identity: string | undefined): Pledge {
  const hardState = { currentTerm: 0, votedFor: undefined }
  return { nodeId, identity, hasBegun: false, lives: [], hardState, held: logOrigin, votesFromTerm: 0 }
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

/** The facts that a disk tells of itself. */
export interface FoundDisk {
  readonly identity: string | undefined
  readonly life: string | undefined
  readonly hardState: HardState
  readonly last: EntryId
  /** Term of the entry at an index, where the log still has it. */
  termAt(index: LogIndex): Term | undefined
}

/** Throws when the disk that was found cannot be the one that the pledge speaks of. */
export function checkPledge(pledge: Pledge, found: FoundDisk): void {
  const { nodeId, identity, lives, hardState, held } = pledge
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
  const term = found.termAt(held.index)
  if (held.term > 0 && term !== undefined && term !== held.term) {
    const other = `entry ${held.index} is of term ${term} in it, and the node held one of term ${held.term}`
    throw lostDiskError(nodeId, `its folder is an older copy: ${other}`)
  }
  const { life = noLife } = found
  const isOwnLife = lives.length === 0 ? life === noLife : lives.includes(life)
  if (!isOwnLife) {
    throw lostDiskError(
      nodeId,
      'its folder is a copy from before its last start, or was started elsewhere since',
    )
  }
}

/** Thrown for a disk that is empty although the member has begun. */
export function emptyDiskError({ nodeId, hardState, held }: Pledge): RaftError {
  return lostDiskError(
    nodeId,
    `its folder is missing or empty, and the node took part up to term ${hardState.currentTerm} and entry ${held.index}`,
  )
}

export function lostDiskError(nodeId: NodeId, why: string): RaftError {
  const remedy = `put the newest copy of the folder back, or ${waysOn(nodeId)}`
  return new RaftError('DISK_LOST', { nodeId, why, remedy })
}

/** How a cluster goes on without a log that is damaged. */
export function damageRemedy(nodeId: NodeId): string {
  return `move the folder away and ${waysOn(nodeId)}`
}

function waysOn(nodeId: NodeId): string {
  return `name the node in the option 'renew' (${renewAtPrompt([nodeId])}): it then begins anew, and votes for nobody until it has caught up, so that nothing acknowledged is lost; or, while the others run, put a new node in its place with replaceNode(${nodeId})`
}

/** The option 'renew' as the command line takes it. */
export function renewAtPrompt(nodeIds: readonly NodeId[]): string {
  const all = nodeIds.join(',')
  return `raftbox sandbox: --renew ${all} at its start, restart ${all} renew at its prompt`
}
