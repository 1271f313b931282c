/**
 * Takes snapshots of the state machine so that the log does not only grow (§7): one piece a turn beside the
 * log's own writes, so that neither the disk nor the thread is held up.
 */

import type { StateMachine } from '../machine/index.js'
import type { LogBounds, LogIndex, Membership, Raft, Snapshot } from '../raft/index.js'
import type { LogStore } from '../storage/index.js'
import type { Probe } from '../telemetry/index.js'

/** A caller who asked for a snapshot. */
interface Wish {
  /** The snapshot holds this entry at least: the last one that was applied when the caller asked. */
  readonly index: LogIndex
  readonly told: (snapshot: Snapshot | undefined) => void
}

/** The snapshot that is being taken. */
interface Taking {
  readonly index: number
  readonly term: number
  readonly membership: Membership
  readonly pieces: Iterator<Uint8Array>
  readonly bounds: LogBounds
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
  #wishes: Wish[] = []

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

  /**
   * Wishes for a snapshot of all that is applied, due or not. `told` hears of it once it is on the disk, or of nothing
   * when the node stops before.
   */
  wish(told: Wish['told']): void {
    this.#wishes.push({ index: this.#raft.state.log.lastApplied, told })
  }

  /**
   * Begins a snapshot when somebody wishes for one, or when the log has outgrown its bound. Called between commands, when
   * nothing is being restored.
   */
  begin(): void {
    if (this.#wishes.length > 0) this.#answer()
    if (this.#taking !== undefined) return
    const isWished = this.#wishes.length > 0
    const next = isWished ? this.#raft.nextSnapshot() : this.#raft.snapshotDue(this.#bounds)
    if (next === undefined) return
    // Behind a snapshot that was asked for, the log is cut at once: followers that are late get the snapshot.
    const bounds = isWished ? { ...this.#bounds, trailingBytes: 0 } : this.#bounds
    this.#taking = { ...next, pieces: this.#machine.snapshot(), bounds, size: 0 }
    this.#next(this.#taking)
  }

  /** Gives up what is being taken: a newer snapshot came from the leader. */
  abandon(): void {
    this.#taking?.pieces.return?.()
    this.#taking = undefined
  }

  /** Callers are told first: a machine may throw when its snapshot is given up. */
  stop(): void {
    for (const { told } of this.#wishes.splice(0)) told(undefined)
    this.abandon()
  }

  /** Answers the wishes that the newest snapshot fulfils. */
  #answer(): void {
    const { snapshot } = this.#raft.state.log
    if (snapshot === undefined) return
    const fulfilled = this.#wishes.filter(({ index }) => index <= snapshot.index)
    this.#wishes = this.#wishes.filter(({ index }) => index > snapshot.index)
    for (const { told } of fulfilled) told(snapshot)
  }

  #next(taking: Taking): void {
    // A newer snapshot from the leader is on its way to the store, and this one must not be written over it [SH2].
    if ((this.#raft.state.log.snapshot?.index ?? 0) > taking.index) return this.abandon()
    const piece = taking.pieces.next()
    if (piece.done !== true) return this.#write(taking, piece.value, () => this.#next(taking))
    if (taking.size > 0) return this.#finish(taking)
    // A snapshot without a byte has a beginning as well.
    this.#write(taking, new Uint8Array(0), () => this.#finish(taking))
  }

  #write(taking: Taking, piece: Uint8Array, written: () => void): void {
    const offset = taking.size
    taking.size += piece.byteLength
    this.#store.writeSnapshotChunk(taking, offset, piece, (error) => {
      if (error !== undefined) return this.#fail(error)
      this.#goOn(taking, written)
    })
  }

  #finish(taking: Taking): void {
    const { index, term, membership, size, bounds } = taking
    const snapshot: Snapshot = { index, term, membership, size }
    const { base, beingSent } = this.#raft.cutBehind(snapshot, bounds)
    this.#store.retainSnapshots(new Set(beingSent))
    this.#store.compact({ snapshot, base }, (error) => {
      if (error !== undefined) return this.#fail(error)
      this.#goOn(taking, () => {
        this.#taking = undefined
        this.#probe.snapshotTaken()
        this.#raft.step({ type: 'compacted', snapshot, base })
        this.#answer()
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
