/** What must hold after every step, in production too. Constant time: a node that breaks one stops at once. */
import type { RaftState } from './state.js'
import { assert, type LogIndex, type NodeId, type Role, type Term } from './types.js'

/** Remembers the state before a step, for what must hold across it. */
export class Invariants {
  readonly #state: RaftState
  #currentTerm: Term
  #votedFor: NodeId | undefined
  #commitIndex: LogIndex
  #lastApplied: LogIndex
  #lastIndex: LogIndex
  #role: Role

  constructor(state: RaftState) {
    this.#state = state
    this.#currentTerm = state.currentTerm
    this.#votedFor = state.votedFor
    this.#commitIndex = state.log.commitIndex
    this.#lastApplied = state.log.lastApplied
    this.#lastIndex = state.log.lastIndex
    this.#role = state.role
    this.check()
  }

  check(): void {
    const state = this.#state
    const { log, currentTerm, votedFor, role } = state
    assert(currentTerm >= this.#currentTerm, 'currentTerm never falls')
    const isSameTerm = currentTerm === this.#currentTerm
    const keptVote = !isSameTerm || this.#votedFor === undefined || votedFor === this.#votedFor
    assert(keptVote, 'a vote is given once a term')
    assert(log.commitIndex >= this.#commitIndex, 'commitIndex never falls')
    assert(log.lastApplied >= this.#lastApplied, 'lastApplied never falls')
    const { lastIndex } = log
    const keptLog =
      role !== 'leader' || this.#role !== 'leader' || !isSameTerm || lastIndex >= this.#lastIndex
    assert(keptLog, 'leader append-only: a leader never removes its entries')

    assert(log.base.index <= (log.snapshot?.index ?? 0), 'the log is cut behind a snapshot only')
    assert((log.snapshot?.index ?? 0) <= log.commitIndex, 'a snapshot holds committed entries only')
    assert(log.lastApplied <= log.commitIndex, 'lastApplied never passes commitIndex')
    assert(log.commitIndex <= lastIndex, 'commitIndex never passes the last entry')
    assert(log.flushedIndex <= log.submittedIndex, 'what is flushed was handed to the store')
    assert(log.submittedIndex <= lastIndex, 'what was handed to the store is in the log')
    assert(log.membershipIndex <= lastIndex, 'a node goes by a configuration that its log holds')
    assert(log.last.term <= currentTerm, 'no entry is of a later term than the node')
    assert(role !== 'leader' || votedFor === state.id, 'a leader voted for itself')
    assert(
      (role === 'leader') === (state.leadership !== undefined),
      'a node has the fields of a leader exactly while it leads',
    )

    this.#currentTerm = currentTerm
    this.#votedFor = votedFor
    this.#commitIndex = log.commitIndex
    this.#lastApplied = log.lastApplied
    this.#lastIndex = lastIndex
    this.#role = role
  }
}
