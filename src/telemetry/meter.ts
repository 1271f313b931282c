/** The probe of every node: it counts what happens, and passes on the few happenings that somebody is to hear of. */
import {
  type EntryRun,
  entryKinds,
  type Message,
  type Persist,
  type Raft,
  type RaftEvent,
} from '../raft/index.js'
import { type Counters, roles } from './counters.js'
import { HeartbeatWatch } from './heartbeat-watch.js'
import type { LatencyHistogram } from './latency-histogram.js'
import type { Probe } from './probe.js'

export interface MeterOptions extends Pick<Probe, 'happened' | 'failed'> {
  readonly counters: Counters
  /** Milliseconds on the node's own clock. */
  readonly now: () => number
  readonly heartbeatIntervalMs: number
}

export class Meter implements Probe {
  readonly #counters: Counters
  readonly #heartbeats: HeartbeatWatch
  readonly #options: MeterOptions

  constructor(options: MeterOptions) {
    const { counters, now, heartbeatIntervalMs } = options
    this.#options = options
    this.#counters = counters
    this.#heartbeats = new HeartbeatWatch(now, heartbeatIntervalMs, counters)
  }

  received(message: Message): void {
    this.#counters.add('messagesReceived', 1)
    this.#heartbeats.received(message)
  }

  sent(): void {
    this.#counters.add('messagesSent', 1)
  }

  flushEnded({ entries }: Persist): void {
    this.#counters.add('flushes', 1)
    for (const { bytes } of entries) this.#counters.add('bytesFlushed', bytes.byteLength)
  }

  applied({ kind, count }: EntryRun): void {
    if (kind === entryKinds.commands) this.#counters.add('commandsApplied', count)
  }

  snapshotTaken(): void {
    this.#counters.add('snapshotsTaken', 1)
  }

  snapshotInstalled(): void {
    this.#counters.add('snapshotsInstalled', 1)
  }

  happened(event: RaftEvent): void {
    if (event.type === 'role' && event.role === 'candidate') this.#counters.add('elections', 1)
    this.#options.happened(event)
  }

  turnEnded({ log, role, currentTerm, leaderId }: Raft['state']): void {
    const counters = this.#counters
    counters.set('role', roles.indexOf(role))
    counters.set('currentTerm', currentTerm)
    counters.set('leaderId', leaderId ?? 0)
    counters.set('lastIndex', log.lastIndex)
    counters.set('flushedIndex', log.flushedIndex)
    counters.set('commitIndex', log.commitIndex)
    counters.set('lastApplied', log.lastApplied)
    counters.set('snapshotIndex', log.snapshot?.index ?? 0)
    counters.set('firstIndex', log.firstIndex)
    counters.set('logBytes', log.weightAfter(log.base.index))
  }

  failed(error: unknown): void {
    this.#options.failed(error)
  }

  /** How late heartbeats were since the last call, in microseconds. */
  takeHeartbeatLateness(): LatencyHistogram {
    return this.#heartbeats.takeLateness()
  }
}
