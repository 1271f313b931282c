/** Tells what happens in a node, each happening with what led to it, as far as the node itself knows. */
import type { Message, NodeId, Raft, RaftEvent } from '../raft/index.js'
import type { Happening } from './happenings.js'

/** The keeper of happenings. */
export interface HappeningSink {
  /** Keeps the happening under the next sequence number of the cluster, which comes back. */
  tell(happening: Happening, atMs: number, cause: number | undefined): number
}

export interface NarratorOptions {
  readonly sink: HappeningSink
  /** Milliseconds on the one clock of the story, which no fault of a node's clock changes. */
  readonly now: () => number
  readonly tickMs: number
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
}

/** A happening that comes again and again: it is told once, and then how often it came. */
interface Repeated {
  readonly sequence: number
  times: number
}

/** Different happenings that are told from one telling of the counts to the next. Of more, the number is told. */
const repeatedMax = 64
/** The time from one telling of the counts to the next. */
const repeatedToldMs = 1000

export class Narrator {
  readonly #options: NarratorOptions
  #tickedAtMs: number | undefined
  /** The time at which a follower last heard its leader, and whether it did since the clock was last looked at. */
  #heardAtMs = 0
  #hasHeard = false
  #leaderId: NodeId | undefined
  #flushBeganMs: number | undefined
  #commitIndex = 0
  #waitsSinceMs: number | undefined
  #isLeaseHeld = false
  #refused = 0
  readonly #repeated = new Map<string, Repeated>()
  #repeatedToldMs = 0
  #untold = 0

  /** Sequence numbers of happenings that may lead to more. `undefined`: none came, or it is over. */
  #role: number | undefined
  #missed: number | undefined
  #stood: number | undefined
  #flushLate: number | undefined
  #commitLate: number | undefined
  #leaseLost: number | undefined
  /** The last handing over of this leadership. */
  #transfer: number | undefined

  constructor(options: NarratorOptions) {
    this.#options = options
  }

  /** Tells a happening that the host of the node knows. */
  tell(happening: Happening): void {
    const sequence = this.#tell(happening)
    if (happening.type === 'started') this.#role = sequence
  }

  happened(event: RaftEvent): void {
    switch (event.type) {
      case 'role':
        return this.#changedRole(event)
      case 'voteAnswered':
        return this.#tellOnce(`${event.candidateId} ${event.term} ${event.isPreVote} ${event.reason}`, event)
      case 'messageDropped':
        return this.#tellOnce(`${event.from} ${event.reason}`, event)
      case 'transferBegan':
        this.#transfer = this.#tell(event)
        return
      case 'snapshotSending':
      case 'snapshotInstalling':
      case 'membership':
      case 'transferEnded':
        this.#tell(event)
    }
  }

  received(message: Message): void {
    if (message.type !== 'appendEntries' && message.type !== 'installSnapshot') return
    if (message.from !== this.#leaderId) return
    this.#hasHeard = true
    this.#missed = undefined
  }

  /** A look at the clock, after a turn took what had come. */
  isNow(atMs: number): void {
    if (this.#hasHeard) this.#heardAtMs = atMs
    this.#hasHeard = false
  }

  refused(): void {
    this.#refused++
  }

  flushBegan(atMs: number): void {
    this.#flushBeganMs = atMs
  }

  flushEnded(atMs: number): void {
    if (this.#flushBeganMs === undefined) return
    const afterMs = atMs - this.#flushBeganMs
    // The thread itself may have waited for the disk.
    if (afterMs >= this.#lateMs) this.#flushIsLate(afterMs)
    this.#flushBeganMs = undefined
    if (this.#flushLate !== undefined) this.#tell({ type: 'flushEnded', afterMs }, this.#flushLate)
    this.#flushLate = undefined
  }

  /** A tick has passed, and the protocol knows of it. `isLeaseHeld` is asked of a leader only. */
  ticked(state: Raft['state'], isLeaseHeld: () => boolean): void {
    const nowMs = this.#options.now()
    this.isNow(nowMs)
    this.#standstill(nowMs)
    if (this.#flushBeganMs !== undefined && nowMs - this.#flushBeganMs >= this.#lateMs)
      this.#flushIsLate(nowMs - this.#flushBeganMs)
    if (state.role === 'leader') this.#leads(state, nowMs, isLeaseHeld())
    else this.#follows(nowMs)
    if (this.#refused > 0) this.#tell({ type: 'overloaded', refused: this.#refused }, this.#flushLate)
    this.#refused = 0
    if (nowMs - this.#repeatedToldMs >= repeatedToldMs) this.#tellRepeated(nowMs)
  }

  get #lateMs(): number {
    return this.#options.electionTimeoutMs / 2
  }

  #changedRole(event: Extract<RaftEvent, { type: 'role' }>): void {
    this.#role = this.#tell(event, this.#causeOf(event))
    this.#heardAtMs = this.#options.now()
    this.#leaderId = event.role === 'follower' ? event.leaderId : undefined
    this.#missed = undefined
    this.#isLeaseHeld = false
    this.#leaseLost = undefined
    this.#transfer = undefined
    this.#waitsSinceMs = undefined
    this.#commitLate = undefined
  }

  #causeOf({ reason }: Extract<RaftEvent, { type: 'role' }>): number | undefined {
    switch (reason) {
      case 'electionTimeout':
        return this.#missed ?? this.#stood ?? this.#role
      case 'preVoteWon':
      case 'electionWon':
      case 'electionLost':
        return this.#role
      case 'quorumLost':
        return this.#leaseLost
      case 'diskStalled':
        return this.#flushLate
      case 'campaign':
      case 'transfer':
      case 'removed':
      case 'higherTerm':
      case 'leaderDiscovered':
        return undefined
    }
  }

  #standstill(nowMs: number): void {
    const { tickMs, heartbeatIntervalMs } = this.#options
    const lateMs = nowMs - (this.#tickedAtMs ?? nowMs) - tickMs
    this.#tickedAtMs = nowMs
    this.#stood =
      lateMs > heartbeatIntervalMs ? this.#tell({ type: 'threadStood', forMs: lateMs }) : undefined
  }

  #follows(nowMs: number): void {
    const from = this.#leaderId
    const silentMs = nowMs - this.#heardAtMs
    if (from === undefined || this.#missed !== undefined) return
    if (silentMs < 2 * this.#options.heartbeatIntervalMs) return
    this.#missed = this.#tell({ type: 'heartbeatMissed', from, silentMs }, this.#stood)
  }

  #leads(state: Raft['state'], nowMs: number, isLeaseHeld: boolean): void {
    const { log } = state
    if (isLeaseHeld !== this.#isLeaseHeld) this.#leaseLost = this.#tellLease(state, isLeaseHeld)
    this.#isLeaseHeld = isLeaseHeld
    const { commitIndex, lastIndex: index } = log
    if (commitIndex !== this.#commitIndex && this.#commitLate !== undefined) {
      const afterMs = nowMs - (this.#waitsSinceMs ?? nowMs)
      this.#tell({ type: 'commitEnded', index: commitIndex, afterMs }, this.#commitLate)
      this.#commitLate = undefined
    }
    if (commitIndex !== this.#commitIndex || commitIndex === index) this.#waitsSinceMs = undefined
    this.#commitIndex = commitIndex
    if (commitIndex === index) return
    this.#waitsSinceMs ??= nowMs
    const sinceMs = nowMs - this.#waitsSinceMs
    if (this.#commitLate !== undefined || sinceMs < this.#lateMs) return
    this.#commitLate = this.#tell({ type: 'commitLate', index, sinceMs }, this.#flushLate)
  }

  /** The number of what was told, where it may be why the node steps down: a lease that was given up is not. */
  #tellLease({ currentTerm: term, leadership }: Raft['state'], isLeaseHeld: boolean): number | undefined {
    if (isLeaseHeld) this.#tell({ type: 'leaseHeld', term }, this.#flushLate)
    else if (leadership?.isLeaseGivenUp === true)
      this.#tell({ type: 'leaseLost', term, reason: 'givenUp' }, this.#transfer)
    else return this.#tell({ type: 'leaseLost', term, reason: 'unanswered' }, this.#flushLate)
    return undefined
  }

  #flushIsLate(sinceMs: number): void {
    this.#flushLate ??= this.#tell({ type: 'flushLate', sinceMs })
  }

  /** A storm of messages must not drive everything else out of the story. */
  #tellOnce(what: string, event: RaftEvent): void {
    const key = `${event.type} ${what}`
    const repeated = this.#repeated.get(key)
    if (repeated !== undefined) {
      repeated.times++
      return
    }
    if (this.#repeated.size >= repeatedMax) {
      this.#untold++
      return
    }
    this.#repeated.set(key, { sequence: this.#tell(event), times: 0 })
  }

  #tellRepeated(nowMs: number): void {
    this.#repeatedToldMs = nowMs
    if (this.#untold > 0) this.#tell({ type: 'missed', count: this.#untold })
    this.#untold = 0
    for (const [key, { sequence, times }] of this.#repeated) {
      if (times > 0) this.#tell({ type: 'repeated', times }, sequence)
      this.#repeated.delete(key)
    }
  }

  #tell(happening: Happening, cause?: number): number {
    return this.#options.sink.tell(happening, this.#options.now(), cause)
  }
}
