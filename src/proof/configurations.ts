/** The rules of the configurations in logs and snapshots (§6, thesis chapter 4), and counts of their changes. */
import {
  isJoint,
  isSameMembership,
  isVoter,
  type LogIndex,
  type Membership,
  membersOf,
  type NodeId,
  type RaftView,
  type Snapshot,
} from '../raft/index.js'
import { type Ledger, type LedgerEntry, nameOf } from './ledger.js'

/** Counts of changes of the members by their end. A change is counted once, when its entry is known to be committed or is cut off. */
export const changeNames = [
  /** Configurations that are not joint. */
  'changesDone',
  'jointChanges',
  /** The leader that left a joint configuration was not the one that began it. */
  'jointsLeftByAnother',
  /** Cut off from a log that had gone by them. */
  'configurationsTakenBack',
  'learnersAdded',
  'learnersPromoted',
  'learnersRemoved',
  'votersDemoted',
  'votersRemoved',
  /** Of the voters that were removed or demoted: those that led, and those that did not run. */
  'leadersRemoved',
  'deadRemoved',
] as const
export type ChangeCounts = Record<(typeof changeNames)[number], number>

type Report = (rule: string, detail: string) => void

export class Configurations {
  /** Members of a committed configuration that are not in the latest one. Their ids never come back. */
  readonly removed = new Set<NodeId>()
  readonly #ledger: Ledger
  readonly #report: Report
  readonly #counts: ChangeCounts
  /** Entries with a configuration that were looked at. */
  readonly #seen = new Set<LedgerEntry>()

  constructor(ledger: Ledger, report: Report, counts: ChangeCounts) {
    this.#ledger = ledger
    this.#report = report
    this.#counts = counts
  }

  /** A node's log ended in `before`, and ends in `tail`: another configuration may count. */
  followed({ id, membership }: RaftView, before: LedgerEntry, tail: LedgerEntry): void {
    if (!isSameMembership(membership, tail.membership))
      this.#report(
        'a node goes by the latest configuration in its log',
        `node ${id} goes by ${told(membership)}, and its log says ${told(tail.membership)}`,
      )
    const known = this.#holderOf(before)
    if (this.#ledger.ancestor(tail, known.index) !== known) this.#counts.configurationsTakenBack++
    const holder = this.#holderOf(tail)
    if (holder.previous === undefined || this.#seen.has(holder)) return
    this.#seen.add(holder)
    this.#appended(holder, holder.previous)
  }

  /** A snapshot on a node's disk, of the state as of `entry`. */
  snapshotted(where: string, { index, membership }: Omit<Snapshot, 'size'>, entry: LedgerEntry): void {
    if (isSameMembership(membership, entry.membership)) return
    this.#report(
      'a snapshot carries the configuration as of its index',
      `${where} at ${index} carries ${told(membership)}, and the log says ${told(entry.membership)}`,
    )
  }

  /** Voters campaign, and those of the configuration before while a node does not know that the latest is committed. */
  mayCampaign({ id, log, membership }: RaftView, tail: LedgerEntry): boolean {
    if (isVoter(membership, id)) return true
    const { index, previous } = this.#holderOf(tail)
    return index > log.commitIndex && previous !== undefined && isVoter(previous.membership, id)
  }

  /** A leader goes on only as a voter, or until the configuration without it is committed and it has handed over. */
  led({ id, membership, membershipIndex, log, leadership }: RaftView): void {
    if (isVoter(membership, id) || membershipIndex > log.commitIndex) return
    if (leadership?.transfer === undefined)
      this.#report('a removed leader steps down', `node ${id} leads, and is no voter of ${told(membership)}`)
  }

  /**
   * The configuration by which the leader whose log ends in `tail` counted who holds its log up to `index`. A joint
   * configuration is left in the very step that commits it, and counts until then.
   */
  countedBy(tail: LedgerEntry, index: LogIndex): Membership {
    const { membership, membershipIndex, previous } = this.#holderOf(tail)
    const isJustLeft =
      previous !== undefined &&
      isJoint(previous.membership) &&
      membershipIndex > index &&
      previous.membershipIndex > this.#ledger.last.index
    return isJustLeft ? previous.membership : membership
  }

  /** An entry is known to be committed, first at `leaderId`. */
  committed(entry: LedgerEntry, leaderId: NodeId, isRunning: (id: NodeId) => boolean): void {
    const { previous, membership: after } = entry
    if (previous === undefined || entry.membershipIndex !== entry.index) return
    const before = previous.membership
    const counts = this.#counts
    if (isJoint(after)) counts.jointChanges++
    else {
      counts.changesDone++
      if (isJoint(before) && this.#holderOf(previous).term !== entry.term) counts.jointsLeftByAnother++
      for (const id of membersOf(before)) if (!membersOf(after).includes(id)) this.removed.add(id)
    }
    for (const id of new Set([...membersOf(before), ...membersOf(after)])) {
      if (this.removed.has(id) && membersOf(after).includes(id))
        this.#report('an id is never used again', `node ${id} is a member again, by ${nameOf(entry)}`)
      this.#count(partOf(before, id), partOf(after, id), id === leaderId, isRunning(id))
    }
  }

  #count(before: Part, after: Part, isLeader: boolean, isRunning: boolean): void {
    if (before === after) return
    const counts = this.#counts
    if (after === 'voter') counts.learnersPromoted++
    else if (before === 'voter') {
      if (after === 'learner') counts.votersDemoted++
      else counts.votersRemoved++
      if (isLeader) counts.leadersRemoved++
      if (!isRunning) counts.deadRemoved++
    } else if (after === 'learner') counts.learnersAdded++
    else counts.learnersRemoved++
  }

  /** A leader has appended a configuration: one at a time, and none before it knows what is committed. */
  #appended(entry: LedgerEntry, previous: LedgerEntry): void {
    const { committed } = this.#ledger
    const earlier = this.#holderOf(previous)
    if (committed[earlier.index] !== earlier)
      this.#report(
        'one change at a time',
        `${nameOf(entry)} follows ${nameOf(earlier)}, which is not committed`,
      )
    let opening: LedgerEntry | undefined = previous
    while (opening?.term === entry.term && committed[opening.index] !== opening) opening = opening.previous
    if (opening?.term !== entry.term)
      this.#report(
        'no change before the first commit of a term',
        `${nameOf(entry)} was appended when no entry of its term was committed`,
      )
    if (!haveCommonMajority(earlier.membership, entry.membership))
      this.#report(
        'consecutive configurations share a majority',
        `${told(earlier.membership)} and ${told(entry.membership)} do not`,
      )
  }

  /** The entry that holds the configuration as of this one. */
  #holderOf(entry: LedgerEntry): LedgerEntry {
    return this.#ledger.ancestor(entry, entry.membershipIndex) ?? this.#ledger.origin
  }
}

type Part = 'voter' | 'learner' | undefined

/** The part that a node takes once a joint configuration is left. */
function partOf({ voters, learners }: Membership, id: NodeId): Part {
  if (voters.includes(id)) return 'voter'
  return learners.includes(id) ? 'learner' : undefined
}

/** Counted apart from the protocol, whose own count may be wrong. */
export function isMajority({ voters, votersOutgoing }: Membership, has: (id: NodeId) => boolean): boolean {
  const isHeld = (half: readonly NodeId[]): boolean => 2 * half.filter(has).length > half.length
  return isHeld(voters) && (votersOutgoing.length === 0 || isHeld(votersOutgoing))
}

/** False when one group could decide by one configuration, and all others by the other. */
function haveCommonMajority(one: Membership, other: Membership): boolean {
  const ids = [...new Set([...membersOf(one), ...membersOf(other)])]
  for (let group = 0; group < 2 ** ids.length; group++) {
    const isIn = (id: NodeId): boolean => ((group >> ids.indexOf(id)) & 1) === 1
    if (isMajority(one, isIn) && isMajority(other, (id) => !isIn(id))) return false
  }
  return true
}

function told({ voters, votersOutgoing, learners }: Membership): string {
  const outgoing = votersOutgoing.length > 0 ? ` and before ${votersOutgoing.join(',')}` : ''
  return `voters ${voters.join(',')}${outgoing}${learners.length > 0 ? `, learners ${learners.join(',')}` : ''}`
}

/** True when all of these nodes vote. */
export function membershipOf(nodeIds: readonly NodeId[]): Membership {
  return { voters: nodeIds, votersOutgoing: [], learners: [] }
}
