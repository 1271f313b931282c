/**
 * The paper's five properties (Figure 3) and what follows from durability, checked on every node after every
 * step. Each check looks at what moved since the last one, so that most cost a few comparisons.
 */
import {
  entriesIn,
  type LogIndex,
  type Membership,
  type Message,
  membersOf,
  type NodeId,
  type RaftView,
  type Snapshot,
  type Term,
} from '../raft/index.js'
import { Configurations, isMajority } from './configurations.js'
import { KvModel } from './kv-model.js'
import { Ledger, type LedgerEntry, nameOf } from './ledger.js'
import type { Seen } from './seen.js'
import type { NodeCounts, OpenedDisk, WatchedNode, Witness } from './watched.js'
import { Words } from './words.js'

export class Checker {
  readonly model = new KvModel()
  readonly ledger: Ledger
  readonly words: Words
  readonly configurations: Configurations
  readonly #witness: Witness
  readonly #counts: NodeCounts
  readonly #nodes: readonly WatchedNode[]
  readonly #seen = new Map<NodeId, Seen>()
  /** The last entries that lost disks had acknowledged, and whose disks those were. */
  readonly #lost: { readonly id: NodeId; readonly tail: LedgerEntry }[] = []
  /** Who leads or led each term, and the last entry of its log then. */
  readonly #leaders = new Map<Term, { readonly id: NodeId; tail: LedgerEntry }>()
  /** The latest term that has or had a leader. */
  latestTerm: Term = 0
  /** Called for each entry that becomes known to be committed. */
  onCommitted: (entry: LedgerEntry, nodeId: NodeId) => void = () => undefined

  /** `membership`: the configuration before the first entry. `nodes`: those that are there at any time. */
  constructor(witness: Witness, counts: NodeCounts, nodes: readonly WatchedNode[], membership: Membership) {
    this.#witness = witness
    this.#counts = counts
    this.#nodes = nodes
    this.ledger = new Ledger(membership)
    this.words = new Words(this.ledger, witness.report)
    this.configurations = new Configurations(this.ledger, witness.report, counts)
  }

  get nodeCount(): number {
    return this.#nodes.length
  }

  report(rule: string, detail: string): void {
    this.#witness.report(rule, detail)
  }

  /** A disk was opened: it has to hold all that its node gave its word for. */
  recovered(id: NodeId, { store, recovered }: OpenedDisk): void {
    const { hardState, base, snapshot, entries } = recovered
    const where = `the disk of node ${id}`
    const start = this.#committedAt(base, `${where} begins after`)
    let tail: LedgerEntry = start
    for (const run of entries) {
      const whole = run.bytes === undefined ? (store.readEntries(run) ?? run) : run
      const appended = this.ledger.append(tail, whole)
      if (typeof appended === 'string') return this.report('log matching', `${where}: ${appended}`)
      tail = appended
    }
    if (snapshot !== undefined) this.#snapshotAt(`${where} has a snapshot`, snapshot)
    this.words.kept(id, hardState, tail, base.index)
    const { currentTerm: term, votedFor } = hardState
    const commitIndex = snapshot?.index ?? 0
    this.#seen.set(id, {
      isLeader: false,
      term,
      votedFor,
      tail,
      configuredTail: this.ledger.origin,
      membership: undefined,
      snapshot,
      baseIndex: base.index,
      commitIndex,
      lastApplied: 0,
      matches: new Map(),
    })
  }

  /** A disk is gone with what its node acknowledged: until then it was there. */
  diskLost(id: NodeId): void {
    this.#lost.push({ id, tail: this.words.of(id).tail })
  }

  /** The node begins anew: its votes still count, and it need not have what the lost disk held. */
  diskRenewed(id: NodeId): void {
    this.words.of(id).tail = this.ledger.origin
  }

  /** The entry that the leader of a term had, or has, at an index. */
  entryOfLeader(term: Term, index: LogIndex): LedgerEntry | undefined {
    const leader = this.#leaders.get(term)
    return leader && this.ledger.ancestor(leader.tail, index)
  }

  /** The term of a node, as of its last step. */
  termOf(id: NodeId): Term {
    return this.#seen.get(id)?.term ?? 0
  }

  /** The last entry of a node's log, as of its last step or start. */
  tailOf(id: NodeId): LedgerEntry {
    return this.#seen.get(id)?.tail ?? this.ledger.origin
  }

  leaderOf(term: Term): NodeId | undefined {
    return this.#leaders.get(term)?.id
  }

  /** After a step of the node. `message` is what the step was about: what it said is looked up. */
  observe(node: WatchedNode, message?: Message): void {
    const { id, state } = node
    const seen = this.#seen.get(id)
    if (state === undefined || seen === undefined) return
    const { log, currentTerm } = state
    if (currentTerm !== seen.term || state.votedFor !== seen.votedFor)
      this.#termMoved(id, state, seen, message)
    const isTailSeen = log.lastIndex === seen.tail.index && log.termAt(seen.tail.index) === seen.tail.term
    // Its entries are compared even where nothing seems to have moved.
    const isSuspect = message?.type === 'appendEntries' && entriesIn(message).length > 0
    if (!isTailSeen || isSuspect || log.base.index !== seen.baseIndex) {
      this.#logMoved(node, state, seen, isSuspect ? message.prevLogIndex : Number.POSITIVE_INFINITY)
    }
    if (state.role === 'leader') this.#leads(node, state, seen, message)
    else if (seen.isLeader) this.#counts.stepDowns++
    seen.isLeader = state.role === 'leader'
    if (log.commitIndex !== seen.commitIndex) this.#commitMoved(id, state, seen)
    if (seen.tail !== seen.configuredTail || log.snapshot !== seen.snapshot) this.#configured(id, state, seen)
    if (state.role === 'preCandidate' || state.role === 'candidate') this.#campaigns(state, seen)
    if (node.neverLeads && state.role !== 'follower')
      this.report('a node of priority 0 never campaigns', `node ${id} is a ${state.role}`)
    if (log.lastApplied < seen.lastApplied) this.report('monotone', `lastApplied of node ${id} fell`)
    seen.lastApplied = log.lastApplied
  }

  /** The configuration that the node goes by, and the one in its snapshot. */
  #configured(id: NodeId, state: RaftView, seen: Seen): void {
    const { membership, log } = state
    if (membership !== seen.membership || seen.tail.membership !== seen.configuredTail.membership) {
      this.configurations.followed(state, seen.configuredTail, seen.tail)
      seen.membership = membership
    }
    seen.configuredTail = seen.tail
    if (log.snapshot === seen.snapshot) return
    if ((log.snapshot?.index ?? 0) < (seen.snapshot?.index ?? 0))
      this.report('monotone', `the snapshot of node ${id} went back to ${log.snapshot?.index ?? 0}`)
    if (log.snapshot !== undefined) this.#snapshotAt(`node ${id} has a snapshot`, log.snapshot)
    seen.snapshot = log.snapshot
  }

  #campaigns(state: RaftView, { tail }: Seen): void {
    if (!this.configurations.mayCampaign(state, tail))
      this.report('only voters campaign', `node ${state.id} is a ${state.role}, and no voter`)
  }

  #termMoved(id: NodeId, state: RaftView, seen: Seen, message: Message | undefined): void {
    const { currentTerm, votedFor, log } = state
    if (currentTerm < seen.term)
      this.report('monotone', `currentTerm of node ${id} fell from ${seen.term} to ${currentTerm}`)
    if (currentTerm === seen.term && seen.votedFor !== undefined && votedFor !== seen.votedFor)
      this.report('one vote a term', `node ${id} turned from ${seen.votedFor} to ${votedFor}`)
    // Only who has at least what we have can have all that is committed (§5.4.1).
    if (message?.type === 'requestVote' && votedFor === message.from) {
      const { index, term } = log.last
      const { lastLogIndex, lastLogTerm } = message
      if (lastLogTerm < term || (lastLogTerm === term && lastLogIndex < index))
        this.report(
          'votes go to who is up to date',
          `node ${id} has ${index}@${term} and votes for ${votedFor}`,
        )
    }
    seen.term = currentTerm
    seen.votedFor = votedFor
  }

  /** Log matching: whatever two logs hold under the same index and term, they hold with the same past. */
  #logMoved({ id, disk }: WatchedNode, state: RaftView, seen: Seen, knownUpTo: LogIndex): void {
    const { log, role, currentTerm } = state
    const base = this.#baseOf(id, state, seen)
    let fork: LedgerEntry | undefined = seen.tail
    const from = Math.min(log.lastIndex, knownUpTo)
    while (fork !== undefined && fork.index > base.index) {
      if (fork.index <= from && log.termAt(fork.index) === fork.term) break
      fork = fork.previous
    }
    let tail = fork === undefined || fork.index <= base.index ? base : fork
    for (const run of log.slice(tail.index + 1, log.lastIndex, Number.POSITIVE_INFINITY)) {
      const appended = this.ledger.append(tail, disk.readBack(run))
      if (typeof appended === 'string') return this.report('log matching', `node ${id}: ${appended}`)
      tail = appended
    }
    const isKept = seen.tail === tail || this.ledger.ancestor(tail, seen.tail.index) === seen.tail
    if (!isKept && tail.index >= seen.baseIndex) {
      this.#counts.truncations++
      if (role === 'leader' && seen.isLeader && currentTerm === seen.term)
        this.report('leader append-only', `node ${id} had ${nameOf(seen.tail)} and has ${nameOf(tail)}`)
      // A later leader replaced what the node gave its word for: it need not keep that any more.
      const word = this.words.of(id)
      const joint = this.ledger.commonAncestor(word.tail, tail)
      if (joint.index < word.tail.index) word.tail = joint
    }
    seen.tail = tail
    seen.baseIndex = base.index
  }

  /** The entry before the log, or the snapshot that took its place: committed in any case. */
  #baseOf(id: NodeId, { log }: RaftView, seen: Seen): LedgerEntry {
    if (log.base.index === seen.baseIndex) return this.ledger.committed[seen.baseIndex] ?? this.ledger.origin
    if (log.base.index < seen.baseIndex)
      this.report('monotone', `the log of node ${id} begins after ${log.base.index}, not ${seen.baseIndex}`)
    return this.#committedAt(log.base, `the log of node ${id} begins after`)
  }

  /** What holds of a leader at each step. */
  #leads(node: WatchedNode, state: RaftView, seen: Seen, message: Message | undefined): void {
    const { currentTerm } = state
    if (!seen.isLeader) this.#elected(node, state, seen)
    if (message !== undefined) this.#matched(state, message.from, seen)
    const leader = this.#leaders.get(currentTerm)
    if (leader !== undefined) leader.tail = seen.tail
    if (this.latestTerm > currentTerm && node.isLeaseHeld)
      this.#leasesOverlap(node.id, currentTerm, this.leaderOf(this.latestTerm), this.latestTerm)
  }

  #leasesOverlap(holder: NodeId, term: Term, other: NodeId | undefined, later: Term): void {
    this.report(
      'nobody else leads while a lease is held',
      `node ${holder} holds the lease of term ${term}, and ${other} was elected in ${later}`,
    )
  }

  /** A node leads a term, which has one leader at most; `tail` is the last entry of its log, where that is known. */
  elected(id: NodeId, term: Term, tail = this.ledger.origin): void {
    const other = this.#leaders.get(term)
    if (other !== undefined && other.id !== id)
      this.report('election safety', `${other.id} and ${id} lead term ${term}`)
    this.#leaders.set(term, { id, tail })
    this.latestTerm = Math.max(this.latestTerm, term)
  }

  /** A node whose steps are not seen has applied its log up to `index`, all of which is on its disk. */
  applied(id: NodeId, index: LogIndex): void {
    const tail = this.tailOf(id)
    const entry = this.ledger.ancestor(tail, index)
    if (entry !== undefined) this.#committed(id, entry, this.termOf(id))
    else this.report('state-machine safety', `node ${id} applied ${index}, its disk ends in ${nameOf(tail)}`)
  }

  /** The new leader has a majority's votes, and every entry that was committed in an earlier term. */
  #elected({ id, durable }: WatchedNode, state: RaftView, seen: Seen): void {
    const { currentTerm } = state
    this.#counts.elections++
    seen.matches.clear()
    const ownVote = durable.hardState
    const isOwnVoteDurable = ownVote?.currentTerm === currentTerm && ownVote.votedFor === id
    const hasVoteOf = (voter: NodeId): boolean =>
      voter === id ? isOwnVoteDurable : this.words.of(voter).votes.get(currentTerm) === id
    const { membership } = seen.tail
    if (!isMajority(membership, hasVoteOf) || !this.configurations.mayCampaign(state, seen.tail)) {
      const voters = this.#nodes.filter((node) => hasVoteOf(node.id)).map((node) => node.id)
      this.report('a leader has a majority', `node ${id} leads ${currentTerm} by the votes of ${voters}`)
    }
    for (const other of this.#nodes) {
      const earlier = other.state?.currentTerm ?? currentTerm
      if (earlier < currentTerm && other.isLeaseHeld) this.#leasesOverlap(other.id, earlier, id, currentTerm)
    }
    this.elected(id, currentTerm, seen.tail)
    const { committed } = this.ledger
    let at = committed.length - 1
    while (at > 0 && (committed[at]?.commitTerm ?? 0) >= currentTerm) at--
    const last = committed[at]
    if (last !== undefined && this.ledger.ancestor(seen.tail, at) !== last)
      this.report('leader completeness', `node ${id} leads term ${currentTerm} without ${nameOf(last)}`)
  }

  /**
   * What a leader takes for answered was asked, and what it takes for matching is on that follower's disk,
   * unless it follows a later leader by now.
   */
  #matched({ id, currentTerm, leadership }: RaftView, followerId: NodeId, seen: Seen): void {
    const { heartbeatRound = 0 } = leadership ?? {}
    const known = leadership?.progressOf(followerId)
    // A node that was removed matches nothing any more.
    if (known === undefined) return void seen.matches.delete(followerId)
    const { matchIndex, ackedRound } = known
    if (ackedRound > heartbeatRound)
      this.report(
        'rounds',
        `${followerId} answered round ${ackedRound} of leader ${id}, which began ${heartbeatRound}`,
      )
    if (matchIndex === (seen.matches.get(followerId) ?? 0)) return
    seen.matches.set(followerId, matchIndex)
    const follower = this.#node(followerId)
    const entry = this.ledger.ancestor(seen.tail, matchIndex)
    // A disk that was lost held the entry when it was acknowledged.
    if (follower === undefined || follower.disk.lost !== undefined) return
    const { durable } = follower
    if ((durable.hardState?.currentTerm ?? 0) > currentTerm) return
    if (entry === undefined || !durable.holds(entry))
      this.report('match index', `leader ${id} takes ${followerId} to match up to ${matchIndex}`)
  }

  #commitMoved(id: NodeId, state: RaftView, seen: Seen): void {
    const { log, role, currentTerm } = state
    const { commitIndex } = log
    if (commitIndex < seen.commitIndex)
      this.report('monotone', `commitIndex of node ${id} fell from ${seen.commitIndex} to ${commitIndex}`)
    const term = log.termAt(commitIndex)
    const entry = this.ledger.find(commitIndex, term)
    if (role === 'leader' && seen.isLeader && term !== currentTerm)
      this.report('commit rule', `leader ${id} of term ${currentTerm} counted entry ${commitIndex}@${term}`)
    if (entry !== undefined) {
      this.#witness.committed(id, entry)
      this.#committed(id, entry, currentTerm)
    }
    if (role === 'leader') this.configurations.led(state)
    seen.commitIndex = commitIndex
  }

  /** State-machine safety: what is committed at an index never changes. And it is on a majority's disks. */
  #committed(id: NodeId, entry: LedgerEntry, term: Term): void {
    const { committed } = this.ledger
    const known = committed[entry.index]
    if (known !== undefined) {
      if (known !== entry)
        this.report('state-machine safety', `node ${id} committed ${nameOf(entry)}, not ${nameOf(known)}`)
      return
    }
    const fresh: LedgerEntry[] = []
    let earlier: LedgerEntry | undefined = entry
    for (; earlier !== undefined && earlier.index >= committed.length; earlier = earlier.previous)
      fresh.push(earlier)
    if (earlier !== this.ledger.last)
      this.report('state-machine safety', `node ${id} committed ${nameOf(entry)} on ${nameOf(earlier)}`)
    const counted = (): Membership => this.configurations.countedBy(this.tailOf(id), entry.index)
    let countedBy = counted()
    const isRunning = (member: NodeId): boolean => this.#node(member)?.state !== undefined
    for (const next of fresh.reverse()) {
      this.durableOnMajority(next, countedBy)
      this.ledger.commit(next, term, this.model)
      this.configurations.committed(next, id, isRunning)
      this.onCommitted(next, id)
      // A joint configuration that was left since counts up to its own entry.
      if (next.membershipIndex === next.index) countedBy = counted()
    }
  }

  /** A committed entry is on the disks of a majority: of both halves of a joint configuration. */
  durableOnMajority(entry: LedgerEntry, membership = entry.membership): void {
    const isLost = (id: NodeId): boolean =>
      this.#lost.some(({ id: of, tail }) => of === id && this.ledger.ancestor(tail, entry.index) === entry)
    const holds = (id: NodeId): boolean => this.#node(id)?.durable.holds(entry) === true || isLost(id)
    if (isMajority(membership, holds)) return
    const holders = membership.voters.filter(holds)
    const where = holders.length === 0 ? 'no disk' : `the disks of ${holders.join(' and ')}`
    this.report('committed means durable', `${nameOf(entry)} is on ${where} of ${membersOf(membership)}`)
  }

  #node(id: NodeId): WatchedNode | undefined {
    return this.#nodes.find((node) => node.id === id)
  }

  #snapshotAt(where: string, snapshot: Omit<Snapshot, 'size'>): void {
    const entry = this.#committedAt(snapshot, `${where} at`)
    this.configurations.snapshotted(where, snapshot, entry)
  }

  #committedAt(place: { readonly index: LogIndex; readonly term: Term }, where: string): LedgerEntry {
    const entry = this.ledger.committed[place.index]
    if (entry?.term === place.term) return entry
    const found = entry === undefined ? 'which nobody committed' : `and ${nameOf(entry)} is committed`
    this.report('snapshots hold what is committed', `${where} ${place.index}@${place.term}, ${found}`)
    return entry ?? this.ledger.find(place.index, place.term) ?? this.ledger.origin
  }
}
