/** What a message promises has to be on its sender's disk before it leaves (Figure 2; thesis §10.2.1). */
import type { AppendEntriesResponse, LogIndex, Message, NodeId, Term } from '../raft/index.js'
import type { Checker } from './checker.js'
import { nameOf } from './ledger.js'
import type { WatchedNode } from './watched.js'

const rule = 'a promise is on disk before it leaves'

export class Promises {
  readonly #checker: Checker

  constructor(checker: Checker) {
    this.#checker = checker
  }

  /** `node` is about to send `message`. */
  sent(node: WatchedNode, message: Message): void {
    switch (message.type) {
      case 'requestVote':
        return this.#vote(node, message.term, node.id)
      case 'requestVoteResponse':
        return message.voteGranted ? this.#vote(node, message.term, message.to) : undefined
      case 'appendEntries':
      case 'installSnapshot':
        return this.#leads(node, message.term)
      case 'appendEntriesResponse':
        return message.success ? this.#acknowledged(node, message) : undefined
      case 'installSnapshotResponse':
        return message.done ? this.#installed(node, message.lastIncludedIndex) : undefined
    }
  }

  /** At most one candidate a node and term, across restarts; and the vote outlives a crash. */
  #vote({ id, durable }: WatchedNode, term: Term, candidate: NodeId): void {
    const { votes } = this.#checker.words.of(id)
    const earlier = votes.get(term) ?? candidate
    if (earlier !== candidate)
      this.#checker.report('one vote a term', `node ${id} voted for ${earlier} and ${candidate} in ${term}`)
    votes.set(term, candidate)
    const found = durable.hardState
    // A later term on the disk keeps the node from voting in this one again, just as well.
    const isDurable =
      found !== undefined &&
      (found.currentTerm > term || (found.currentTerm === term && found.votedFor === candidate))
    if (isDurable) return
    const where =
      found === undefined
        ? 'its disk says nothing'
        : `its disk says term ${found.currentTerm}, vote ${found.votedFor ?? 'for nobody'}`
    this.#checker.report(rule, `node ${id} votes for ${candidate} in term ${term}, and ${where}`)
  }

  #leads({ id }: WatchedNode, term: Term): void {
    const leader = this.#checker.leaderOf(term)
    if (leader !== id)
      this.#checker.report('election safety', `node ${id} speaks as leader of term ${term}, of ${leader}`)
  }

  #acknowledged({ id, durable }: WatchedNode, { term, matchIndex }: AppendEntriesResponse): void {
    const foundTerm = durable.hardState?.currentTerm ?? 0
    if (foundTerm < term)
      this.#checker.report(rule, `node ${id} answers in term ${term}, and its disk says ${foundTerm}`)
    const word = this.#checker.words.of(id)
    word.term = Math.max(word.term, term)
    const entry = this.#checker.entryOfLeader(term, matchIndex)
    if (entry === undefined) {
      this.#checker.report('match index', `node ${id} matches the leader of ${term} up to ${matchIndex}`)
    } else if (!durable.holds(entry)) {
      this.#checker.report(rule, `node ${id} acknowledges ${nameOf(entry)}, which its disk does not hold`)
    } else if (entry.term > word.tail.term || entry.index > word.tail.index) {
      // Where a later leader has replaced the entry since its write began, the answer still leaves, and binds nobody.
      const { ledger } = this.#checker
      if (ledger.ancestor(this.#checker.tailOf(id), entry.index) === entry) word.tail = entry
    }
  }

  #installed({ id, durable }: WatchedNode, index: LogIndex): void {
    const entry = this.#checker.ledger.committed[index]
    const isDurable = durable.snapshotIndex >= index || (entry !== undefined && durable.holds(entry))
    if (!isDurable)
      this.#checker.report(rule, `node ${id} says that it has the snapshot at ${index}, and has not`)
  }
}
