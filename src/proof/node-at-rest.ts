/** A node that has ended, known by what its disk holds: for a cluster whose nodes cannot be looked into while they run. */
import type { HardState, LogIndex, LogRun, NodeId } from '../raft/index.js'
import type { OpenStore } from '../storage/index.js'
import type { Checker } from './checker.js'
import type { Durable, WatchedNode } from './watched.js'

export class NodeAtRest implements WatchedNode, Durable {
  readonly id: NodeId
  readonly state = undefined
  readonly isLeaseHeld = false
  /** A node at rest has no role. */
  readonly neverLeads = false
  readonly disk = { lost: undefined, readBack: (run: LogRun): LogRun => run }
  readonly hardState: HardState
  readonly snapshotIndex: LogIndex
  readonly #checker: Checker

  /** Tells the checker of all that the disk holds. */
  constructor(id: NodeId, checker: Checker, opened: OpenStore) {
    this.id = id
    this.#checker = checker
    this.hardState = opened.recovered.hardState
    this.snapshotIndex = opened.recovered.snapshot?.index ?? 0
    checker.recovered(id, opened)
  }

  get durable(): Durable {
    return this
  }

  holds(entry: Parameters<Durable['holds']>[0]): boolean {
    return this.#checker.ledger.ancestor(this.#checker.tailOf(this.id), entry.index)?.term === entry.term
  }
}
