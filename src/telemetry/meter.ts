/** The probe of every node: it counts what happens, tells what is worth telling, and marks how far commands have come. */
import type {
  EntryRun,
  Message,
  NodeId,
  Persist,
  Raft,
  RaftEvent,
  Refusal,
  Role,
  Term,
} from '../raft/index.js'
import { type Counters, counterAt, roles } from './counters.js'
import type { Happening } from './happenings.js'
import { HeartbeatWatch } from './heartbeat-watch.js'
import type { LatencyHistogram } from './latency-histogram.js'
import type { MembershipMemory } from './membership-memory.js'
import { type HappeningSink, Narrator } from './narrator.js'
import type { NodeLatencies } from './node-latencies.js'
import type { Probe, RequestsWaiting } from './probe.js'
import { Stopwatch } from './stopwatch.js'
import { VitalSigns } from './vitals.js'
import { type WaymarkMemory, Waymarks } from './waymarks.js'

/** Commands that take a state machine so long that the clock is looked at again. */
const manyApplied = 64

export interface MeterOptions extends Pick<Probe, 'failed'> {
  readonly counters: Counters
  readonly happenings: HappeningSink
  readonly waymarks: WaymarkMemory
  /** Where the node shows its configuration. Left out: nowhere. */
  readonly membership?: MembershipMemory
  /** Memory in which the node tells its vitals. Left out: it does not. */
  readonly vitals?: SharedArrayBuffer
  /** Where the node counts its latencies. Left out: nowhere. */
  readonly latencies?: NodeLatencies
  /** Milliseconds on the node's own clock. */
  readonly now: () => number
  /** Milliseconds on the one clock of the cluster's story, which no fault of the node's clock changes. */
  readonly storyNow: () => number
  /** The same clock at the node's last look at its own. A look costs, and each turn takes one. */
  readonly lastLook: () => number
  readonly tickMs: number
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
}

export class Meter implements Probe {
  readonly #counters: Counters
  readonly #heartbeats: HeartbeatWatch
  readonly #options: MeterOptions
  readonly #narrator: Narrator
  readonly #waymarks: Waymarks
  readonly #vitals: VitalSigns | undefined
  readonly #stopwatch: Stopwatch | undefined
  #atMs: number
  /** Commands of this turn. */
  #applied = 0
  /** The leader of which this life of the node told last. */
  #leaderId: NodeId | undefined

  constructor(options: MeterOptions) {
    const { counters, now, storyNow, heartbeatIntervalMs, happenings, waymarks } = options
    const { vitals, latencies, tickMs } = options
    this.#options = options
    this.#counters = counters
    this.#heartbeats = new HeartbeatWatch(now, heartbeatIntervalMs, counters, latencies?.heartbeatsLate)
    this.#atMs = storyNow()
    this.#narrator = new Narrator({ ...options, sink: happenings, now: storyNow })
    this.#waymarks = new Waymarks(waymarks)
    this.#vitals = vitals && new VitalSigns(vitals, tickMs)
    this.#stopwatch = latencies && new Stopwatch(latencies, storyNow, tickMs)
  }

  received(message: Message): void {
    this.#counters.add(counterAt.messagesReceived, 1)
    this.#heartbeats.received(message)
    this.#narrator.received(message)
    this.#waymarks.received(message)
    this.#vitals?.received(message)
    this.#stopwatch?.received(message)
  }

  sent(message: Message): void {
    this.#counters.add(counterAt.messagesSent, 1)
    this.#waymarks.sent(message)
    this.#stopwatch?.sent(message)
  }

  refused(code: Refusal['code']): void {
    if (code === 'overloaded') this.#narrator.refused()
  }

  proposalsFailed(commands: number): void {
    this.#counters.add(counterAt.proposalsFailed, commands)
  }

  turnEnding(state: Raft['state']): void {
    this.#isNow(this.#options.lastLook())
    this.#waymarks.turnEnding(state)
  }

  flushBegan(): void {
    this.#narrator.flushBegan(this.#atMs)
    this.#stopwatch?.flushBegan()
  }

  flushEnded(persist: Persist): void {
    this.#isNow(this.#options.storyNow())
    this.#counters.add(counterAt.flushes, 1)
    for (const { bytes } of persist.entries) this.#counters.add(counterAt.bytesFlushed, bytes.byteLength)
    this.#narrator.flushEnded(this.#atMs)
    this.#stopwatch?.flushEnded(this.#atMs)
    this.#waymarks.flushEnded(persist)
  }

  applied(run: EntryRun, commands: number): void {
    this.#counters.add(counterAt.commandsApplied, commands)
    this.#applied += run.count
    this.#waymarks.applied(run)
  }

  answered(index: number): void {
    this.#waymarks.answered(index)
  }

  snapshotTaken(): void {
    this.#counters.add(counterAt.snapshotsTaken, 1)
  }

  snapshotInstalled(): void {
    this.#counters.add(counterAt.snapshotsInstalled, 1)
  }

  happened(event: RaftEvent): void {
    if (event.type === 'role') {
      // Before it is told: a listener who hears who leads may call at once.
      this.#publishRole(event.role, event.term, event.leaderId)
      if (event.role === 'leader') this.#heartbeats.leads()
      if (event.role === 'candidate') this.#counters.add(counterAt.elections, 1)
      if (event.leaderId !== undefined && event.leaderId !== this.#leaderId)
        this.#counters.add(counterAt.leaderChanges, 1)
      this.#leaderId = event.leaderId
    }
    this.#options.membership?.happened(event)
    this.#vitals?.happened(event)
    this.#narrator.happened(event)
  }

  /** A life begins with this state. */
  begins(state: Raft['state']): void {
    const { membership, membershipIndex: index, log } = state
    this.#publishLog(log)
    this.#vitals?.tell(state, this.#options.storyNow())
    this.#options.membership?.tell({ index, membership, isCommitted: index <= log.commitIndex })
  }

  /** Tells a happening that the host of the node knows. */
  tell(happening: Happening): void {
    this.#narrator.tell(happening)
  }

  ticked(state: Raft['state'], isLeaseHeld: () => boolean, waiting: RequestsWaiting): void {
    this.#narrator.ticked(state, isLeaseHeld)
    if (this.#stopwatch === undefined && this.#vitals === undefined) return
    const nowMs = this.#options.storyNow()
    this.#stopwatch?.ticked(nowMs)
    this.#vitals?.ticked(state, isLeaseHeld, waiting, nowMs)
  }

  turnEnded(state: Raft['state']): void {
    const { log, role, currentTerm, leaderId, leadership } = state
    if (leadership !== undefined) this.#counters.setPeers(leadership.progress)
    this.#publishRole(role, currentTerm, leaderId)
    this.#publishLog(log)
    // The machine took its time.
    if (this.#applied >= manyApplied) this.#isNow(this.#options.storyNow())
    this.#applied = 0
    this.#waymarks.turnEnded()
    this.#vitals?.turnEnded(state, this.#atMs)
  }

  #publishLog(log: Raft['state']['log']): void {
    const counters = this.#counters
    counters.set(counterAt.lastIndex, log.lastIndex)
    counters.set(counterAt.flushedIndex, log.flushedIndex)
    counters.set(counterAt.commitIndex, log.commitIndex)
    counters.set(counterAt.lastApplied, log.lastApplied)
    counters.set(counterAt.snapshotIndex, log.snapshot?.index ?? 0)
    counters.set(counterAt.firstIndex, log.firstIndex)
    counters.set(counterAt.logBytes, log.weightAfter(log.base.index))
  }

  #publishRole(role: Role, term: Term, leaderId: NodeId | undefined): void {
    this.#counters.set(counterAt.role, roles.indexOf(role))
    this.#counters.set(counterAt.currentTerm, term)
    this.#counters.set(counterAt.leaderId, leaderId ?? 0)
  }

  #isNow(atMs: number): void {
    this.#atMs = atMs
    this.#narrator.isNow(atMs)
    this.#waymarks.isNow(atMs)
  }

  failed(error: unknown): void {
    this.#options.failed(error)
  }

  /** How late heartbeats were since the last call, in microseconds. */
  takeHeartbeatLateness(): LatencyHistogram {
    return this.#heartbeats.takeLateness()
  }
}
