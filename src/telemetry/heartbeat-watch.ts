/** Measures how late heartbeats are seen: the time since the one before, less the interval. */
import type { Message, NodeId } from '../raft/index.js'
import { type Counters, counterAt } from './counters.js'
import { LatencyHistogram } from './latency-histogram.js'
import type { SharedHistogram } from './shared-histogram.js'

export class HeartbeatWatch {
  readonly #now: () => number
  readonly #intervalMs: number
  readonly #counters: Counters
  readonly #shown: SharedHistogram | undefined
  #lateness = new LatencyHistogram()
  #leaderId: NodeId | undefined
  #lastAtMs = 0

  /** Each lateness is also counted in `shown`. */
  constructor(now: () => number, intervalMs: number, counters: Counters, shown?: SharedHistogram) {
    this.#now = now
    this.#intervalMs = intervalMs
    this.#counters = counters
    this.#shown = shown
  }

  received(message: Message): void {
    if (message.type !== 'appendEntries' || message.mode !== 'heartbeat') return
    const nowMs = this.#now()
    this.#counters.add(counterAt.heartbeatsReceived, 1)
    const sinceLastMs = nowMs - this.#lastAtMs
    const lateMs = Math.max(0, sinceLastMs - this.#intervalMs)
    if (this.#leaderId !== undefined)
      this.#counters.add(counterAt.heartbeatsMissed, Math.floor(lateMs / this.#intervalMs))
    // Reads bring extra rounds, which would be thousands that are on time: they are no measure of lateness. Neither is the
    // time until another leader was elected.
    if (message.from === this.#leaderId && sinceLastMs >= this.#intervalMs / 2) {
      this.#lateness.record(Math.round(lateMs * 1000), 1)
      this.#shown?.record(lateMs * 1000)
    }
    this.#leaderId = message.from
    this.#lastAtMs = nowMs
  }

  /** The node leads, and hears no heartbeats meanwhile. */
  leads(): void {
    this.#leaderId = undefined
  }

  /** How late heartbeats were since the last call, in microseconds. */
  takeLateness(): LatencyHistogram {
    const taken = this.#lateness
    this.#lateness = new LatencyHistogram()
    return taken
  }
}
