/** When a snapshot is due, and how much of the log goes with it (§7). Questions: they change nothing. */
import { snapshotsBeingSent } from './snapshots.js'
import type { RaftState } from './state.js'
import type { EntryId, LogIndex, Snapshot } from './types.js'

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

/** The cut of the log, and of older snapshots, once a snapshot is whole. */
export interface Cut {
  /** The entry up to which the log is forgotten. */
  readonly base: EntryId
  /** Earlier snapshots that are on their way to a follower: the store has to keep them. */
  readonly beingSent: readonly LogIndex[]
}

/** The snapshot that is due now that the log has outgrown its bound. `undefined`: none is due. */
export function snapshotDue(state: RaftState, bounds: LogBounds): Omit<Snapshot, 'size'> | undefined {
  const { snapshot } = state.log
  const isDue = state.log.weightAfter(snapshot?.index ?? 0) > boundAfter(snapshot, bounds)
  return isDue ? nextSnapshot(state) : undefined
}

/**
 * The snapshot that can be taken now, of what the state machine holds. Its size is not known yet. `undefined`: nothing
 * was applied since the last one, or the own disk does not hold it yet.
 */
export function nextSnapshot(state: RaftState): Omit<Snapshot, 'size'> | undefined {
  const { log } = state
  const { snapshot, lastApplied: index } = log
  // A snapshot of what our own disk does not hold could outlive the log it stands for.
  if (index <= (snapshot?.index ?? 0) || index > log.flushedIndex) return undefined
  const term = log.termAt(index)
  return term === undefined ? undefined : { index, term, membership: log.membershipAt(index) }
}

/** Where to cut: a margin behind the snapshot, and not before a follower that is being sent an earlier one. */
export function cutBehind(state: RaftState, snapshot: Snapshot, bounds: LogBounds): Cut {
  const { log } = state
  const { logBytesMax, trailingBytes } = bounds
  const bound = boundAfter(snapshot, bounds)
  const sent = snapshotsBeingSent(state)
  const isOvergrown = log.weightAfter(log.base.index) > transferPatience * bound
  const margin = log.entryBeforeMargin(trailingBytes * (bound / logBytesMax))
  let base: EntryId = margin.index > snapshot.index ? snapshot : margin
  if (!isOvergrown) for (const earlier of sent) if (earlier.index < base.index) base = earlier
  if (base.index < log.base.index) base = log.base
  const { index, term } = base
  return { base: { index, term }, beingSent: sent.map((earlier) => earlier.index) }
}

function boundAfter(snapshot: Snapshot | undefined, { logBytesMax }: LogBounds): number {
  return Math.max(logBytesMax, snapshot?.size ?? 0)
}
