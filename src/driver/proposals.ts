/** Proposals that wait for their commands to be applied, in log order. Each is settled exactly once. */
import { type EntryId, type LogRun, lastIndexOf } from '../raft/index.js'
import type { Settlement } from '../transport/index.js'

interface Proposal {
  readonly request: number
  readonly first: EntryId
  readonly count: number
}

export class Proposals {
  readonly #settle: (settlement: Settlement) => void
  readonly #failed: (commands: number) => void
  readonly #waiting: Proposal[] = []
  #head = 0

  /** `failed` is told how many commands were not, or not with certainty, applied. */
  constructor(settle: (settlement: Settlement) => void, failed: (commands: number) => void) {
    this.#settle = settle
    this.#failed = failed
  }

  /** Proposals that have no answer yet. */
  get count(): number {
    return this.#waiting.length - this.#head
  }

  /**
   * Queues a proposal that was given the place `first`. When a node loses leadership, its last entries may be replaced.
   * When it leads again, it gives their indexes to new proposals. The old proposals may still be committed by another
   * node, so each is settled as unknown.
   */
  add(request: number, first: EntryId, count: number): void {
    for (let last = this.#waiting.at(-1); last !== undefined; last = this.#waiting.at(-1)) {
      if (this.#waiting.length === this.#head || last.first.index < first.index) break
      this.#unknown(last, 'its log entries were replaced on the node that took it')
      this.#waiting.pop()
    }
    this.#waiting.push({ request, first, count })
  }

  /** True when someone waits for the results of this run, which is about to be applied. */
  awaits(run: LogRun): boolean {
    for (let at = this.#head; at < this.#waiting.length; at++) {
      const proposal = this.#waiting[at]
      if (proposal === undefined || proposal.first.index > run.index) return false
      if (isRunOf(proposal, run)) return true
    }
    return false
  }

  /** Settles what the application of `run` decides. */
  applied(run: LogRun): void {
    const last = lastIndexOf(run)
    for (let proposal = this.#first(); proposal !== undefined; proposal = this.#first()) {
      const { request, first, count } = proposal
      // Terms in a log never decrease, so no entry of an earlier term follows one of a later term.
      if (first.index > last && first.term >= run.term) return
      if (isRunOf(proposal, run)) {
        this.#settle({ request, outcome: 'applied', index: first.index, count })
      } else if (first.term !== run.term) {
        this.#replaced(proposal)
      } else {
        this.#unknown(proposal, 'its commands were applied in several pieces')
      }
      this.#drop()
    }
  }

  /** A snapshot took the place of the entries up to its last one, so this node cannot tell what became of them. */
  skipped({ index, term }: EntryId): void {
    for (let proposal = this.#first(); proposal !== undefined; proposal = this.#first()) {
      const { first } = proposal
      if (first.index > index && first.term >= term) return
      if (first.index > index) this.#replaced(proposal)
      else this.#unknown(proposal, 'a snapshot took the place of its log entries on the node that took it')
      this.#drop()
    }
  }

  /**
   * An entry of another term is applied at the proposal's index, or one of a later term before it. So the proposal never
   * happens.
   */
  #replaced({ request, count }: Proposal): void {
    this.#failed(count)
    this.#settle({ request, outcome: 'refused', code: 'replaced', leaderId: undefined })
  }

  #unknown({ request, count }: Proposal, why: string): void {
    this.#failed(count)
    this.#settle({ request, outcome: 'unknown', why })
  }

  #first(): Proposal | undefined {
    return this.#waiting[this.#head]
  }

  #drop(): void {
    this.#head++
    if (this.#head < 1024 && this.#head < this.#waiting.length) return
    this.#waiting.splice(0, this.#head)
    this.#head = 0
  }
}

function isRunOf({ first, count }: Proposal, run: LogRun): boolean {
  return first.index === run.index && first.term === run.term && count === run.count
}
