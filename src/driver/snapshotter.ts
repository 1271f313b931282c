/**
 * Takes snapshots of the state machine so that the log does not only grow (§7): one piece a turn beside the
 * log's own writes, so that neither the disk nor the thread is held up.
 */

import type { StateMachine } from '../machine/index.js'
import type { LogBounds, Membership, Raft, Snapshot } from '../raft/index.js'
import type { LogStore } from '../storage/index.js'
import type { Probe } from '../telemetry/index.js'

interface Taking {
  readonly index: number
  readonly term: number
  readonly membership: Membership
  readonly pieces: Iterator<Uint8Array>
  size: number
}

export class Snapshotter {
  readonly #raft: Raft
  readonly #store: LogStore
  readonly #machine: Pick<StateMachine, 'snapshot'>
  readonly #bounds: LogBounds
  readonly #probe: Probe
  readonly #fail: (error: unknown) => void
  #taking: Taking | undefined

  constructor(
    raft: Raft,
    store: LogStore,
    machine: Pick<StateMachine, 'snapshot'>,
    bounds: LogBounds,
    probe: Probe,
    fail: (error: unknown) => void,
  ) {
    this.#raft = raft
    this.#store = store
    this.#machine = machine
    this.#bounds = bounds
    this.#probe = probe
    this.#fail = fail
  }

  /** Begins a snapshot when the log has outgrown its bound. Called between commands, when nothing is being restored. */
  begin(): void {
    if (this.#taking !== undefined) return
    const due = this.#raft.snapshotDue(this.#bounds)
    if (due === undefined) return
    this.#taking = { ...due, pieces: this.#machine.snapshot(), size: 0 }
    this.#next(this.#taking)
  }

  /** Gives up what is being taken: a newer snapshot came from the leader, or the node stops. */
  abandon(): void {
    this.#taking?.pieces.return?.()
    this.#taking = undefined
  }

  #next(taking: Taking): void {
    // A newer one from the leader is on its way to the store: this one must not be written over it.
    if ((this.#raft.state.log.snapshot?.index ?? 0) > taking.index) return this.abandon()
    const piece = taking.pieces.next()
    if (piece.done === true) return this.#finish(taking)
    const offset = taking.size
    taking.size += piece.value.byteLength
    this.#store.writeSnapshotChunk(taking, offset, piece.value, (error) => {
      if (error !== undefined) return this.#fail(error)
      this.#goOn(taking, () => this.#next(taking))
    })
  }

  #finish(taking: Taking): void {
    const { index, term, membership, size } = taking
    const snapshot: Snapshot = { index, term, membership, size }
    const { base, beingSent } = this.#raft.cutBehind(snapshot, this.#bounds)
    this.#store.retainSnapshots(new Set(beingSent))
    this.#store.compact({ snapshot, base }, (error) => {
      if (error !== undefined) return this.#fail(error)
      this.#goOn(taking, () => {
        this.#taking = undefined
        this.#probe.snapshotTaken()
        this.#raft.step({ type: 'compacted', snapshot, base })
      })
    })
  }

  /** The store calls back outside of any turn: what throws here stops the node all the same. */
  #goOn(taking: Taking, work: () => void): void {
    if (this.#taking !== taking) return
    try {
      work()
    } catch (error) {
      this.#fail(error)
    }
  }
}
