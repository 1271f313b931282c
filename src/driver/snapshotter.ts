/**
 * Takes snapshots of the state machine so that the log does not only grow (§7): one piece a turn beside the
 * log's own writes, so that neither the disk nor the thread is held up.
 */

import type { StateMachine } from '../machine/index.js'
import type { EntryId, Membership, Raft, Snapshot } from '../raft/index.js'
import { snapshotsBeingSent } from '../raft/index.js'
import type { LogStore } from '../storage/index.js'
import type { Probe } from '../telemetry/index.js'

export interface LogBounds {
  /**
   * Bytes of log after which a snapshot is taken and the log is cut; at least the
   * size of the last snapshot, so that snapshots never cost more than the log itself. Default 16 MiB. Large:
   * followers catch up from the log after longer absences, and memory that was never used before costs more
   * than what it is used for.
   */
  readonly logBytesMax: number
  /**
   * Bytes of log kept behind a snapshot for followers that are a little late. Default 4 MiB. Where a large
   * snapshot raises the bound of the log, this rises with it: to send that snapshot costs more as well.
   */
  readonly trailingBytes: number
}

export const defaultLogBounds: LogBounds = Object.freeze({ logBytesMax: 16 << 20, trailingBytes: 4 << 20 })

/** A log that waits for a slow transfer may grow to this many times its bound; then it is cut all the same. */
const transferPatience = 4

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
  readonly #machine: StateMachine
  readonly #bounds: LogBounds
  readonly #probe: Probe
  readonly #fail: (error: unknown) => void
  #taking: Taking | undefined

  constructor(
    raft: Raft,
    store: LogStore,
    machine: StateMachine,
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
    const { log, membership } = this.#raft.state
    if (this.#taking !== undefined || !this.#isDue()) return
    const index = log.lastApplied
    // A snapshot of what our own disk does not hold could outlive the log it stands for.
    if (index > log.flushedIndex) return
    const term = log.termAt(index)
    if (term === undefined) return
    this.#taking = { index, term, membership, pieces: this.#machine.snapshot(), size: 0 }
    this.#next(this.#taking)
  }

  /** Gives up what is being taken: a newer snapshot came from the leader, or the node stops. */
  abandon(): void {
    this.#taking?.pieces.return?.()
    this.#taking = undefined
  }

  #isDue(): boolean {
    const { log } = this.#raft.state
    const snapshotIndex = log.snapshot?.index ?? 0
    return log.lastApplied > snapshotIndex && log.weightAfter(snapshotIndex) > this.#boundAfter(log.snapshot)
  }

  #boundAfter(snapshot: Snapshot | undefined): number {
    return Math.max(this.#bounds.logBytesMax, snapshot?.size ?? 0)
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
    const base = this.#baseBehind(snapshot)
    this.#store.retainSnapshots(new Set(snapshotsBeingSent(this.#raft.state).map((sent) => sent.index)))
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

  /** Where to cut: a margin behind the snapshot, and not before a follower that is being sent an earlier one. */
  #baseBehind(snapshot: Snapshot): EntryId {
    const { log } = this.#raft.state
    const { logBytesMax, trailingBytes } = this.#bounds
    const bound = this.#boundAfter(snapshot)
    let base = log.entryBeforeMargin(trailingBytes * (bound / logBytesMax))
    if (base.index > snapshot.index) base = snapshot
    const isOvergrown = log.weightAfter(log.base.index) > transferPatience * bound
    if (!isOvergrown) {
      for (const sent of snapshotsBeingSent(this.#raft.state)) if (sent.index < base.index) base = sent
    }
    if (base.index < log.base.index) base = log.base
    return { index: base.index, term: base.term }
  }
}
