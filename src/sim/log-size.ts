/**
 * Checks of the size of one node's log: behind the newest snapshot it stays within `logBytesMax`, before it within a
 * margin, and the disk has no more than twice the records of the longest log.
 */
import {
  entryKinds,
  type LogBounds,
  type LogIndex,
  type NodeId,
  type RaftView,
  type Snapshot,
} from '../raft/index.js'
import type { LogStore } from '../storage/index.js'
import type { DurableView } from './durable.js'
import type { World } from './world.js'

type Compaction = Parameters<LogStore['compact']>[0]

/** A log that waits for the transfer of a snapshot may grow to this many times its bound [SH5]. */
const transferPatience = 4

export class LogSize {
  readonly #world: World
  readonly #nodeId: NodeId
  readonly #bounds: LogBounds
  /** Writes of the node's own snapshot that are under way: its pieces, and the cut of the log. */
  #writesUnderWay = 0
  /** The base of the latest cut that is flushed. */
  #baseIndex: LogIndex = 0
  /** The most records that the log had before or after a cut. */
  #recordsMax = 0

  constructor(world: World, nodeId: NodeId, bounds: LogBounds) {
    this.#world = world
    this.#nodeId = nodeId
    this.#bounds = bounds
  }

  /** A life of the node begins: no write is under way. */
  begins(): void {
    this.#writesUnderWay = 0
    this.#baseIndex = 0
  }

  /** A piece of the node's own snapshot, or the cut behind it, is given to the disk. */
  writes(): void {
    this.#writesUnderWay++
  }

  /** A write that `writes` counted is flushed. */
  hasWritten(): void {
    this.#writesUnderWay--
  }

  /** The log is about to be cut or to be replaced by a received snapshot, or was cut. */
  shrinks(durable: DurableView): void {
    // The disk's own base counts: a received snapshot that is not flushed yet has replaced the node's log already.
    this.#recordsMax = Math.max(this.#recordsMax, durable.recordsAfter(durable.baseIndex))
  }

  /** The log is about to be cut behind a snapshot of the node's own. */
  cuts(state: RaftView, durable: DurableView, { snapshot, base }: Compaction): void {
    this.shrinks(durable)
    const { log, leadership } = state
    const { logBytesMax, trailingBytes } = this.#bounds
    const bound = this.#boundAfter(snapshot)
    const kept = log.weightAfter(base.index) - log.weightAfter(snapshot.index)
    if (kept <= trailingBytes * (bound / logBytesMax)) return
    const isSending = [...(leadership?.progress.values() ?? [])].some((to) => to.state === 'snapshot')
    if (isSending && log.weightAfter(log.base.index) <= transferPatience * bound) return
    this.#tell(`keeps ${kept} bytes of its log before its snapshot at ${snapshot.index}`)
  }

  /** The cut is flushed, and the node was told. */
  hasCut(durable: DurableView, { base }: Compaction): void {
    this.#baseIndex = base.index
    this.shrinks(durable)
    const records = durable.recordsAfter(0)
    // A transaction removes more waste than it adds records, so the waste never outgrows the longest log.
    if (records > 2 * this.#recordsMax + 1)
      this.#tell(
        `has ${records} records on its disk, ${durable.recordsAfter(durable.baseIndex)} of them in its log`,
      )
  }

  checkAtTick({ log, limits: { logMemoryBytesMax } }: RaftView): void {
    const { snapshot, base, firstIndex, lastApplied, flushedIndex, commitIndex } = log
    if (base.index < this.#baseIndex)
      this.#tell(`has entry ${firstIndex} in its log, which was cut up to ${this.#baseIndex}`)
    const behind = log.weightAfter(snapshot?.index ?? 0)
    const canBegin =
      lastApplied === commitIndex && lastApplied > (snapshot?.index ?? 0) && lastApplied <= flushedIndex
    if (behind > this.#boundAfter(snapshot) && canBegin && this.#writesUnderWay === 0)
      this.#tell(`has ${behind} bytes of log behind its snapshot, and takes none`)
    const settled = Math.min(lastApplied, flushedIndex)
    if (log.weightAfter(base.index) - log.weightAfter(settled) <= logMemoryBytesMax) return
    const [oldest] = log.slice(firstIndex, firstIndex, 1)
    // A configuration stays in memory: the node goes by it.
    if (oldest?.bytes !== undefined && oldest.kind !== entryKinds.membership)
      this.#tell(`keeps entry ${firstIndex} in memory beyond ${logMemoryBytesMax} bytes`)
  }

  #boundAfter(snapshot: Snapshot | undefined): number {
    return Math.max(this.#bounds.logBytesMax, snapshot?.size ?? 0)
  }

  #tell(what: string): void {
    this.#world.checker.report('the log stays within its bound', `node ${this.#nodeId} ${what}`)
  }
}
