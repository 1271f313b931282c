/**
 * The log (§5.3) as one node sees it, and the chain of pointers over it. Entries live in runs; every index
 * that is asked for or cut at may lie inside a run.
 */
import { type Configuration, isSameMembership, readMembership } from './configuration.js'
import {
  byteLengthOf,
  type EntryRun,
  entryKinds,
  type LogRun,
  lastIndexOf,
  sliceRun,
  storedRunOf,
} from './entry-run.js'
import { frozenCopy } from './plain-data.js'
import { countOfLeading } from './search.js'
import {
  assert,
  type EntryId,
  type LogIndex,
  logOrigin,
  type Membership,
  type Snapshot,
  type Term,
} from './types.js'

/** What a run weighs beyond its own bytes: the objects around it. Keeps a log of tiny runs bounded too. */
const runOverheadBytes = 256

/** A write handed to the store and not yet flushed. */
interface PendingWrite {
  readonly sequence: number
  /** The last entry that is on disk once this write is; lowered when entries of it are truncated. */
  lastIndex: LogIndex
}

export class RaftLog {
  /** The entry before the first one kept. Moves up when the log is cut. Invariant: base.index ≤ snapshot.index. */
  base: EntryId
  /** The newest whole snapshot. Invariant: snapshot.index ≤ commitIndex. */
  snapshot: Snapshot | undefined
  /** Highest entry known to be committed (Figure 2). Only ever rises. */
  commitIndex: LogIndex
  /** Highest entry that the state machine holds (Figure 2). Invariant: lastApplied ≤ commitIndex. */
  lastApplied: LogIndex
  /** Highest entry handed to the store. Invariant: flushedIndex ≤ submittedIndex ≤ lastIndex. */
  submittedIndex: LogIndex
  /** Highest entry on our own disk. `commitIndex ≤ flushedIndex` need not hold on one node. */
  flushedIndex: LogIndex
  /** The lowest index cut off since the last write was handed to the store. */
  truncatedFrom: LogIndex | undefined

  private readonly runs: LogRun[] = []
  /** How many of the runs, the oldest, were looked at by `leaveToStore`. */
  private leftCount = 0
  /** Weight of the runs from the beginning of this incarnation through each of `runs`. */
  private readonly weights: number[] = []
  private weightBefore = 0
  private readonly pendingWrites: PendingWrite[] = []
  /** The configuration as of the snapshot, or the first one, and behind it those that entries of the log hold (§6). */
  private configurations: Configuration[]

  /** `membership`: the configuration before the first entry, of a log that has no snapshot. */
  constructor(
    base: EntryId,
    snapshot: Snapshot | undefined,
    entries: readonly LogRun[],
    membership: Membership,
  ) {
    this.base = frozenCopy(base)
    this.snapshot = frozenCopy(snapshot)
    this.configurations = [firstOf(snapshot, membership)]
    for (const run of entries) this.push(run)
    const applied = snapshot?.index ?? logOrigin.index
    this.commitIndex = applied
    this.lastApplied = applied
    this.submittedIndex = this.lastIndex
    this.flushedIndex = this.lastIndex
  }

  /** The latest configuration in the log, committed or not: the one that a node goes by (§6). */
  get membership(): Membership {
    return this.configuration.membership
  }

  /**
   * The configuration before the latest, which is in force as long as the latest is not committed; `undefined` once that is
   * known to be committed. Configurations further back are not in force: changes are made one at a time [CF6].
   */
  get membershipBefore(): Membership | undefined {
    return this.membershipIndex > this.commitIndex ? this.configurations.at(-2)?.membership : undefined
  }

  /** The entry that holds `membership`. */
  get membershipIndex(): LogIndex {
    return this.configuration.index
  }

  /** The configuration as of an entry that is not before the snapshot's last. */
  membershipAt(index: LogIndex): Membership {
    const configuration = this.configurations.findLast((each) => each.index <= index)
    assert(configuration !== undefined, 'the configuration as of the snapshot is kept')
    return configuration.membership
  }

  get firstIndex(): LogIndex {
    return this.base.index + 1
  }

  get lastIndex(): LogIndex {
    const run = this.runs.at(-1)
    return run === undefined ? this.base.index : lastIndexOf(run)
  }

  get last(): EntryId {
    const run = this.runs.at(-1)
    return run === undefined ? this.base : { index: lastIndexOf(run), term: run.term }
  }

  /** Term of the entry at `index`; `undefined` when it is not in the log, or no longer. */
  termAt(index: LogIndex): Term | undefined {
    if (index === this.base.index) return this.base.term
    if (index < this.firstIndex || index > this.lastIndex) return undefined
    return this.runAt(this.position(index)).term
  }

  has(entry: EntryId): boolean {
    return this.termAt(entry.index) === entry.term
  }

  /** True when a log that ends in `last` is at least as up to date as ours: later term first, then length (§5.4.1). */
  isUpToDate(last: EntryId): boolean {
    const ours = this.last
    return last.term > ours.term || (last.term === ours.term && last.index >= ours.index)
  }

  /** Appends at the end. Terms never decrease and indexes have no gap. */
  push(run: LogRun): void {
    const last = this.last
    assert(run.index === last.index + 1, 'a run continues the log without a gap')
    assert(run.term >= last.term, 'terms in a log never decrease')
    this.runs.push(run)
    this.weights.push(this.weight + byteLengthOf(run) + runOverheadBytes)
    // A snapshot's configuration says already what the entries that it covers say.
    if (run.kind === entryKinds.membership && run.index > this.configuration.index) this.takeMembership(run)
  }

  /**
   * Figure 2, AppendEntries, rules 3 and 4: skips what is here already, truncates on a conflict and only
   * then, appends what is new.
   */
  append(entries: readonly EntryRun[]): void {
    for (const run of entries) {
      const from = this.firstNew(run)
      if (from <= lastIndexOf(run)) this.push(sliceRun(run, from, lastIndexOf(run)))
    }
  }

  /** The entries `from` to `to`, both included, as runs; stops early once `maxBytes` are reached, never before one run. */
  slice(from: LogIndex, to: LogIndex, maxBytes: number): LogRun[] {
    const runs: LogRun[] = []
    if (from > to) return runs
    assert(from >= this.firstIndex && to <= this.lastIndex, 'a slice lies within the log')
    let bytes = 0
    for (let position = this.position(from); position < this.runs.length; position++) {
      const run = this.runAt(position)
      const byteLength = byteLengthOf(run)
      if (run.index > to || (bytes > 0 && bytes + byteLength > maxBytes)) break
      runs.push(sliceRun(run, Math.max(from, run.index), Math.min(to, lastIndexOf(run))))
      bytes += byteLength
    }
    return runs
  }

  /** The first index of the term that the entry at `index` belongs to, as far back as the log goes. */
  firstIndexOfTermAt(index: LogIndex): LogIndex {
    let position = this.position(index)
    const term = this.runAt(position).term
    while (position > 0 && this.runAt(position - 1).term === term) position--
    return this.runAt(position).index
  }

  /** The last entry whose term is at most `term`; the base when there is none in the log. */
  lastIndexOfTermUpTo(term: Term): LogIndex {
    const runs = countOfLeading(this.runs.length, (at) => this.runAt(at).term <= term)
    return runs === 0 ? this.base.index : lastIndexOf(this.runAt(runs - 1))
  }

  /** Bytes of log after `index`, the objects around them included. Derived and never counted, so it cannot leak. */
  weightAfter(index: LogIndex): number {
    if (index >= this.lastIndex) return 0
    if (index < this.firstIndex) return this.weight - this.weightBefore
    return this.weight - (this.weights[this.position(index)] ?? 0)
  }

  /** The last entry of the run after which at most `bytes` remain: where a margin of that size begins. */
  entryBeforeMargin(bytes: number): EntryId {
    if (this.weight - this.weightBefore <= bytes) return this.base
    const at = countOfLeading(this.runs.length, (run) => this.weight - (this.weights[run] ?? 0) > bytes)
    if (at === this.runs.length) return this.last
    const run = this.runAt(at)
    return { index: lastIndexOf(run), term: run.term }
  }

  /**
   * Leaves the bytes of the oldest runs to the store, as long as more than `bytesMax` are behind them in memory. What is
   * not flushed could not be read back, and what is not committed may be cut off: they stay.
   */
  leaveToStore(bytesMax: number): void {
    const leftTo = Math.min(this.flushedIndex, this.commitIndex)
    for (; this.leftCount < this.runs.length; this.leftCount++) {
      const run = this.runAt(this.leftCount)
      const weightBefore = this.weights[this.leftCount - 1] ?? this.weightBefore
      if (this.weight - weightBefore <= bytesMax || lastIndexOf(run) > leftTo) return
      if (run.bytes !== undefined) this.runs[this.leftCount] = storedRunOf(run)
    }
  }

  /** Running total of all that was ever pushed, less what was truncated. */
  get weight(): number {
    return this.weights.at(-1) ?? this.weightBefore
  }

  /** How many runs are held. */
  get runCount(): number {
    return this.runs.length
  }

  /** Notes that all up to the end is now with the store, in write `sequence`. */
  submit(sequence: number): void {
    this.submittedIndex = this.lastIndex
    this.truncatedFrom = undefined
    this.pendingWrites.push({ sequence, lastIndex: this.lastIndex })
  }

  /** Notes that a write is on disk. Writes are flushed in the order in which they were handed over. */
  flush(sequence: number): void {
    const write = this.pendingWrites.shift()
    assert(write?.sequence === sequence, 'writes are flushed in order, each once')
    this.flushedIndex = Math.max(this.flushedIndex, write.lastIndex)
  }

  /** Forgets the entries up to `base`, which a snapshot covers. */
  cut(base: EntryId, snapshot: Snapshot): void {
    // One that was begun before a leader's newer snapshot was installed comes too late.
    if (snapshot.index < (this.snapshot?.index ?? 0)) return
    assert(base.index <= snapshot.index, 'the log is cut behind its snapshot only')
    assert(snapshot.index <= this.lastApplied, 'a snapshot holds what was applied and no more')
    // On disk too: a snapshot beyond the entries that survive a crash would leave a gap behind it.
    assert(snapshot.index <= this.flushedIndex, 'a snapshot is taken of what our own disk holds')
    assert(
      isSameMembership(snapshot.membership, this.membershipAt(snapshot.index)),
      'a snapshot carries the configuration as of its last entry',
    )
    this.snapshot = frozenCopy(snapshot)
    const asOfSnapshot = this.configurations.findLastIndex(({ index }) => index <= snapshot.index)
    this.configurations.splice(0, asOfSnapshot)
    if (base.index <= this.base.index) return
    assert(this.termAt(base.index) === base.term, 'the log is cut at an entry of its own')
    const position = this.position(base.index)
    const run = this.runAt(position)
    const isWhole = lastIndexOf(run) === base.index
    const kept = isWhole ? position + 1 : position
    if (kept > 0) this.weightBefore = this.weights[kept - 1] ?? this.weightBefore
    this.runs.splice(0, kept)
    this.weights.splice(0, kept)
    this.leftCount = Math.max(0, this.leftCount - kept)
    if (!isWhole) this.runs[0] = sliceRun(run, base.index + 1, lastIndexOf(run))
    this.base = frozenCopy(base)
  }

  /** Replaces everything by a snapshot that a leader sent (Figure 13, rules 7 and 8). */
  reset(snapshot: Snapshot): void {
    assert(snapshot.index > this.commitIndex, 'a snapshot never takes back what is committed')
    this.clampWrites(this.commitIndex)
    this.weightBefore = this.weight
    this.runs.length = 0
    this.weights.length = 0
    this.leftCount = 0
    this.base = frozenCopy({ index: snapshot.index, term: snapshot.term })
    this.snapshot = frozenCopy(snapshot)
    this.configurations = [firstOf(snapshot, snapshot.membership)]
    this.commitIndex = snapshot.index
    this.truncatedFrom = undefined
  }

  /** The first entry of the run that we lack, after dropping our own entries that conflict with it. */
  private firstNew(run: EntryRun): LogIndex {
    let index = run.index
    while (index <= lastIndexOf(run) && index <= this.lastIndex) {
      if (index < this.firstIndex) {
        index = this.firstIndex
        continue
      }
      const own = this.runAt(this.position(index))
      if (own.term !== run.term) {
        this.truncate(index)
        return index
      }
      index = lastIndexOf(own) + 1
    }
    return index
  }

  private truncate(from: LogIndex): void {
    assert(from > this.commitIndex, 'a committed entry is never removed')
    const position = this.position(from)
    const run = this.runAt(position)
    // A configuration goes with its entry, and the one before it counts again (§6).
    this.configurations = this.configurations.filter(({ index }) => index < from)
    this.runs.length = position
    this.weights.length = position
    if (run.index < from) this.push(sliceRun(run, run.index, from - 1))
    // A second cut before the next write lies below the first one, for all above it counts as not handed over.
    if (from <= this.submittedIndex) this.truncatedFrom = from
    this.clampWrites(from - 1)
  }

  /** Nothing above `index` counts as handed over or flushed any more, even when a late flush reports it. */
  private clampWrites(index: LogIndex): void {
    this.submittedIndex = Math.min(this.submittedIndex, index)
    this.flushedIndex = Math.min(this.flushedIndex, index)
    for (const write of this.pendingWrites) write.lastIndex = Math.min(write.lastIndex, index)
  }

  private takeMembership(run: LogRun): void {
    const membership = readMembership(run)
    assert(membership !== undefined, 'a configuration in a log can be read')
    this.configurations.push(frozenCopy({ index: run.index, membership }))
  }

  private get configuration(): Configuration {
    const latest = this.configurations.at(-1)
    assert(latest !== undefined, 'a log has a configuration')
    return latest
  }

  private runAt(position: number): LogRun {
    const run = this.runs[position]
    assert(run !== undefined, 'a run is where the search found it')
    return run
  }

  /** Position of the run that holds `index`; the newest are asked for most. */
  private position(index: LogIndex): number {
    const last = this.runs.length - 1
    if (last >= 0 && this.runAt(last).index <= index) return last
    return Math.max(0, countOfLeading(last, (at) => this.runAt(at).index <= index) - 1)
  }
}

function firstOf(snapshot: Snapshot | undefined, membership: Membership): Configuration {
  if (snapshot === undefined) return frozenCopy({ index: logOrigin.index, membership })
  return frozenCopy({ index: snapshot.index, membership: snapshot.membership })
}
