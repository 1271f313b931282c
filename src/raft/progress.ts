/** What a leader knows of one follower (Figure 2, nextIndex and matchIndex), and how much it may send it. */
import { assert, type LogIndex, type Snapshot } from './types.js'

/**
 * `probe`: where the logs meet is not known, one message at a time. `replicate`: it is known, messages are
 * pipelined. `snapshot`: what the follower needs is no longer in the log.
 */
export type ProgressState = 'probe' | 'replicate' | 'snapshot'

interface Inflight {
  readonly lastIndex: LogIndex
  readonly bytes: number
}

/** The last message to a follower that is far behind. */
interface Work {
  readonly bytes: number
  /** The leader's commitIndex, and the weight of its log, when the message left. */
  readonly commitIndex: LogIndex
  readonly weight: number
  /** In ticks of the leader's clock; `undefined` where the driver hands none. */
  readonly sentAt: number | undefined
  /** When the answer was noticed first. */
  answeredAt: number | undefined
}

export class Progress {
  state: ProgressState = 'probe'
  /** Highest entry known to be on the follower's disk. Only ever rises within a term. */
  matchIndex: LogIndex = 0
  /** The entry to send next. Invariant: nextIndex > matchIndex. */
  nextIndex: LogIndex
  /** In `probe`: a message is on its way, and nothing more is sent before an answer or the next heartbeat. */
  isProbeSent = false
  /** The follower answered since the last check of the quorum. */
  isRecentlyActive = false
  /** The follower answered before the last check of the quorum, and since the one before it. */
  wasActive = false
  /** Whether the follower's priority is 0. The follower tells so with its answers to heartbeats; `undefined` until then. */
  neverLeads: boolean | undefined
  /** The latest heartbeat round that the follower answered. */
  ackedRound = 0
  /** Something of ours arrived since the last answer to a heartbeat; if not, it may have been lost. */
  hasMoved = false
  /** In `snapshot`: what is being sent, and the offset of the chunk to send next. */
  snapshot: Snapshot | undefined
  snapshotOffset = 0
  /** In `snapshot`: a chunk is on its way. */
  isChunkSent = false

  /** In `replicate`: the follower is far behind, and gets its entries at a pace. */
  isBehind = false
  /** In `snapshot`, and while it is far behind: the message from which it rests. */
  work: Work | undefined

  private readonly inflights: Inflight[] = []
  /** Bytes on their way to the follower. Changed by the methods below alone. */
  inflightBytes = 0

  constructor(nextIndex: LogIndex) {
    this.nextIndex = nextIndex
  }

  /** The follower answered this leader, and did so within the last two election timeouts. */
  isHeard(): boolean {
    const hasAnswered = this.matchIndex > 0 || this.ackedRound > 0
    return hasAnswered && (this.isRecentlyActive || this.wasActive)
  }

  get inflightMessages(): number {
    return this.inflights.length
  }

  becomeProbe(nextIndex: LogIndex): void {
    this.enter('probe')
    this.nextIndex = Math.max(this.matchIndex + 1, nextIndex)
  }

  becomeReplicate(): void {
    this.enter('replicate')
    this.nextIndex = this.matchIndex + 1
  }

  becomeSnapshot(snapshot: Snapshot): void {
    this.enter('snapshot')
    this.snapshot = snapshot
  }

  /** Entries up to `lastIndex` left for the follower. */
  sent(lastIndex: LogIndex, bytes: number): void {
    assert(lastIndex >= this.nextIndex, 'what is sent lies at or after nextIndex')
    if (this.state === 'probe') {
      this.isProbeSent = true
      return
    }
    this.nextIndex = lastIndex + 1
    this.inflights.push({ lastIndex, bytes })
    this.inflightBytes += bytes
  }

  /** True when a message that follows on `prevLogIndex` is on its way: the last probe, or one of the pipeline. */
  awaits(prevLogIndex: LogIndex): boolean {
    if (this.state === 'probe') return prevLogIndex === this.nextIndex - 1
    return this.inflights.some(({ lastIndex }) => lastIndex === prevLogIndex)
  }

  /** The follower's disk holds everything up to `matchIndex`; an answer out of date changes nothing. */
  matched(matchIndex: LogIndex): void {
    if (matchIndex > this.matchIndex) {
      this.matchIndex = matchIndex
      this.hasMoved = true
    }
    this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1)
    let arrived = 0
    for (const inflight of this.inflights) {
      if (inflight.lastIndex > this.matchIndex) break
      this.inflightBytes -= inflight.bytes
      arrived++
    }
    if (arrived > 0) this.inflights.splice(0, arrived)
  }

  private enter(state: ProgressState): void {
    this.state = state
    this.isProbeSent = false
    this.snapshot = undefined
    this.snapshotOffset = 0
    this.isChunkSent = false
    this.isBehind = false
    this.work = undefined
    this.inflights.length = 0
    this.inflightBytes = 0
  }
}
