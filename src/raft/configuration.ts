/** Configurations: the members of a cluster as entries of its log (§6), and what a change makes of them. */
import {
  type EntryRun,
  entryKinds,
  forEachCommand,
  isWellFormed,
  type LogRun,
  packCommands,
  stampRun,
} from './entry-run.js'
import { frozenCopy } from './plain-data.js'
import { isVoter, membersOf } from './quorum.js'
import { isNodeId, type LogIndex, type Membership, type NodeId, type Term } from './types.js'

/** A configuration, and the entry that holds it. */
export interface Configuration {
  /** 0, or the index of a snapshot, when no entry of the log holds it. */
  readonly index: LogIndex
  readonly membership: Membership
}

/** A part of a change of the members. A node that is added begins as a learner, and is promoted once it has caught up. */
export interface MembershipChange {
  readonly type: 'addLearner' | 'promote' | 'demote' | 'remove'
  readonly nodeId: NodeId
}

/** Bytes of a node's id in an entry: an IEEE double, little-endian. A u32 in front of each list counts its ids. */
const idBytes = 8
const countBytes = 4

export function membershipRun(index: LogIndex, term: Term, membership: Membership): EntryRun {
  return stampRun(packCommands([bytesOf(membership)]), index, term, entryKinds.membership)
}

/** The configuration that a run holds; `undefined` when the run is not of that kind, or holds anything else. */
export function readMembership({ bytes, kind, count }: LogRun): Membership | undefined {
  if (bytes === undefined || kind !== entryKinds.membership || count !== 1) return undefined
  if (!isWellFormed({ bytes, count })) return undefined
  let membership: Membership | undefined
  forEachCommand({ bytes, count }, (start, end) => {
    membership = membershipOf(new DataView(bytes.buffer, bytes.byteOffset + start, end - start))
  })
  return membership
}

function bytesOf({ voters, votersOutgoing, learners }: Membership): Uint8Array {
  const lists = [voters, votersOutgoing, learners]
  const ids = lists.reduce((count, list) => count + list.length, 0)
  const bytes = new Uint8Array(lists.length * countBytes + ids * idBytes)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const list of lists) {
    view.setUint32(at, list.length, true)
    at += countBytes
    for (const id of list) {
      view.setFloat64(at, id, true)
      at += idBytes
    }
  }
  return bytes
}

function membershipOf(view: DataView): Membership | undefined {
  let at = 0
  const lists: NodeId[][] = []
  while (lists.length < 3) {
    if (at + countBytes > view.byteLength) return undefined
    const count = view.getUint32(at, true)
    at += countBytes
    if (at + count * idBytes > view.byteLength) return undefined
    const from = at
    lists.push(
      Array.from({ length: count }, (_, position) => view.getFloat64(from + position * idBytes, true)),
    )
    at += count * idBytes
  }
  const [voters = [], votersOutgoing = [], learners = []] = lists
  const membership = { voters, votersOutgoing, learners }
  return at === view.byteLength && isMembership(membership) ? frozenCopy(membership) : undefined
}

/** True for a configuration that has voters, names no node twice in a list, and no learner that is an incoming voter. */
export function isMembership({ voters, votersOutgoing, learners }: Membership): boolean {
  const isList = (ids: readonly NodeId[]) => ids.every(isNodeId) && new Set(ids).size === ids.length
  const areLists = isList(voters) && isList(votersOutgoing) && isList(learners)
  return areLists && voters.length > 0 && !learners.some((id) => voters.includes(id))
}

/** True when the same nodes take the same parts. */
export function isSameMembership(one: Membership, other: Membership): boolean {
  const isSame = (a: readonly NodeId[], b: readonly NodeId[]) =>
    a.length === b.length && a.every((id) => b.includes(id))
  return (
    isSame(one.voters, other.voters) &&
    isSame(one.votersOutgoing, other.votersOutgoing) &&
    isSame(one.learners, other.learners)
  )
}

export function isJoint({ votersOutgoing }: Membership): boolean {
  return votersOutgoing.length > 0
}

/** The configuration that follows on a joint one: the new half alone (§6). */
export function leaving({ voters, learners }: Membership): Membership {
  return frozenCopy({ voters, votersOutgoing: [], learners })
}

/**
 * The next configuration. A change of one voter at most goes straight to it, since any two majorities of before and
 * after overlap (thesis §4.1). All others are joint first: a voter that is demoted is both an outgoing voter and a
 * learner until the joint configuration is left.
 */
export function changed(membership: Membership, changes: readonly MembershipChange[]): Membership {
  const voters = new Set(membership.voters)
  const learners = new Set(membership.learners)
  for (const { type, nodeId } of changes) {
    voters.delete(nodeId)
    learners.delete(nodeId)
    if (type === 'promote') voters.add(nodeId)
    else if (type !== 'remove') learners.add(nodeId)
  }
  const before = membership.voters
  const apart =
    before.filter((id) => !voters.has(id)).length + [...voters].filter((id) => !before.includes(id)).length
  const sorted = (ids: Iterable<NodeId>) => [...ids].sort((a, b) => a - b)
  return frozenCopy({
    voters: sorted(voters),
    votersOutgoing: apart > 1 ? before : [],
    learners: sorted(learners),
  })
}

/** Why no log can take these changes in this configuration, in words that follow a colon; `undefined`: one can. */
export function whyNotChanges(
  membership: Membership,
  changes: readonly MembershipChange[],
): string | undefined {
  if (changes.length === 0) return 'at least one node is added, promoted, demoted or removed'
  const named = new Set<NodeId>()
  for (const { type, nodeId } of changes) {
    if (named.has(nodeId)) return `node ${nodeId} is named twice`
    named.add(nodeId)
    const why = whyNotChange(membership, type, nodeId)
    if (why !== undefined) return why
  }
  const { voters } = changed(membership, changes)
  return voters.length === 0 ? 'a cluster keeps at least one voter' : undefined
}

function whyNotChange(
  membership: Membership,
  type: MembershipChange['type'],
  nodeId: NodeId,
): string | undefined {
  if (!isNodeId(nodeId)) return `a node's id is a whole number above 0, not ${nodeId}`
  const members = membersOf(membership)
  if (type === 'addLearner')
    return members.includes(nodeId) ? `node ${nodeId} is a member already` : undefined
  if (!members.includes(nodeId)) return `there is no member ${nodeId} (members: ${members.join(', ')})`
  if (type === 'promote' && isVoter(membership, nodeId)) return `node ${nodeId} is a voter already`
  if (type === 'demote' && !isVoter(membership, nodeId)) return `node ${nodeId} is a learner already`
  return undefined
}
