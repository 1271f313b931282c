/** Requests of operators that this node has taken as the leader and not answered: changes of the members, transfers. */
import {
  type EntryId,
  type EntryRun,
  isJoint,
  type LogIndex,
  type Membership,
  type NodeId,
  type OperationRefusal,
  type RaftEvent,
  readMembership,
} from '../raft/index.js'

/** Nothing of the request happened, and nothing will. */
export interface Refused {
  readonly outcome: 'refused'
  /** `replaced`: another leader's entry took the place of the change. `timedOut`: the transfer's target did not lead in time. */
  readonly code: OperationRefusal['code'] | 'replaced' | 'timedOut'
  readonly leaderId: NodeId | undefined
  readonly why: string
}

export type ChangeOutcome =
  /** The members are these, from the entry at `index` on, which is committed and applied. */
  | { readonly outcome: 'done'; readonly index: LogIndex; readonly membership: Membership }
  | Refused
  | { readonly outcome: 'unknown'; readonly why: string }

export type TransferOutcome = { readonly outcome: 'done' } | Refused

interface Change {
  readonly first: EntryId
  /** The joint configuration is committed; the change is done once it is left. */
  isCommitted: boolean
  readonly settle: (outcome: ChangeOutcome) => void
}

export class Operations {
  /**
   * In log order. The protocol takes one change at a time, so all changes before the last are committed or replaced, and are
   * settled as this node applies the log.
   */
  #changes: Change[] = []
  #transfer: ((outcome: TransferOutcome) => void) | undefined

  addChange(first: EntryId, settle: (outcome: ChangeOutcome) => void): void {
    this.#changes.push({ first, isCommitted: false, settle })
  }

  addTransfer(settle: (outcome: TransferOutcome) => void): void {
    this.#transfer = settle
  }

  /** Settles what the application of `run` decides. */
  applied(run: EntryRun): void {
    if (this.#changes.length === 0) return
    const last = run.index + run.count - 1
    this.#changes = this.#changes.filter((change) => {
      if (!change.isCommitted) {
        const { index, term } = change.first
        // Terms in a log never decrease, so no entry of an earlier term follows one of a later term.
        if (run.term > term || (index <= last && run.term !== term)) return this.#replaced(change)
        if (index !== run.index) return true
        change.isCommitted = true
      }
      return this.#isOpen(change, run)
    })
  }

  /** A snapshot took the place of entries, so this node cannot tell what became of the changes in them. */
  skipped(): void {
    const why = 'a snapshot took the place of its log entries on the node that took it'
    for (const { settle } of this.#changes) settle({ outcome: 'unknown', why })
    this.#changes = []
  }

  happened(event: RaftEvent): void {
    if (event.type !== 'transferEnded') return
    const settle = this.#transfer
    this.#transfer = undefined
    if (event.isDone) settle?.({ outcome: 'done' })
    else {
      const why = `the handing over to node ${event.to} ended before that node led`
      settle?.({ outcome: 'refused', code: 'timedOut', leaderId: undefined, why })
    }
  }

  #isOpen({ settle }: Change, run: EntryRun): boolean {
    const membership = readMembership(run)
    if (membership === undefined || isJoint(membership)) return true
    settle({ outcome: 'done', index: run.index, membership })
    return false
  }

  #replaced({ settle }: Change): false {
    settle({
      outcome: 'refused',
      code: 'replaced',
      leaderId: undefined,
      why: 'another leader came before it was committed',
    })
    return false
  }
}
