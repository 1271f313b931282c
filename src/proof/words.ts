/** The promises that nodes gave in messages, across restarts, and whether their disks hold them. */
import type { HardState, LogIndex, NodeId, Term } from '../raft/index.js'
import { type Ledger, type LedgerEntry, nameOf } from './ledger.js'

/** The word of one node. */
interface Word {
  /** The last entry that it said was on its disk, unless a later leader replaced it. */
  tail: LedgerEntry
  term: Term
  readonly votes: Map<Term, NodeId>
}

export class Words {
  readonly #ledger: Ledger
  readonly #report: (rule: string, detail: string) => void
  readonly #words = new Map<NodeId, Word>()

  constructor(ledger: Ledger, report: (rule: string, detail: string) => void) {
    this.#ledger = ledger
    this.#report = report
  }

  of(id: NodeId): Word {
    let word = this.#words.get(id)
    if (word === undefined) {
      word = { tail: this.#ledger.origin, term: 0, votes: new Map() }
      this.#words.set(id, word)
    }
    return word
  }

  /** A disk was opened: it holds the vote, the term and the entries that its node answered for. */
  kept(id: NodeId, hardState: HardState, tail: LedgerEntry, baseIndex: LogIndex): void {
    const word = this.of(id)
    const { currentTerm, votedFor } = hardState
    if (currentTerm < word.term)
      this.#report('a word is kept', `node ${id} answered in term ${word.term} and is back in ${currentTerm}`)
    const vote = word.votes.get(currentTerm)
    if (vote !== undefined && vote !== votedFor)
      this.#report(
        'a word is kept',
        `node ${id} voted for ${vote} in term ${currentTerm} and has ${votedFor}`,
      )
    const isKept = word.tail.index <= baseIndex || this.#ledger.ancestor(tail, word.tail.index) === word.tail
    if (!isKept) {
      const found = `its disk ends in ${nameOf(tail)}`
      this.#report('acknowledged means durable', `node ${id} acknowledged ${nameOf(word.tail)} and ${found}`)
    }
  }
}
