/** Measures how late heartbeats are seen: the time since the one before, less the interval. */
import type { Message, NodeId } from '../raft/index.js'
import type { Clock } from './clock.js'
import type { Counters } from './counters.js'

export class HeartbeatWatch {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #counters: Counters
  readonly #seen: (lateMs: number) => void
  #leaderId: NodeId | undefined
  #lastAtMs = 0

  constructor(clock: Clock, intervalMs: number, counters: Counters, seen: (lateMs: number) => void) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#counters = counters
    this.#seen = seen
  }

  received(message: Message): void {
    if (message.type !== 'appendEntries' || message.mode !== 'heartbeat') return
    const nowMs = this.#clock.now()
    this.#counters.add('heartbeatsReceived', 1)
    // Reads bring extra rounds: they are early, and no measure of lateness. A new leader begins anew.
    if (message.from === this.#leaderId) {
      const lateMs = Math.max(0, nowMs - this.#lastAtMs - this.#intervalMs)
      this.#counters.add('heartbeatsMissed', Math.floor(lateMs / this.#intervalMs))
      this.#seen(lateMs)
    }
    this.#leaderId = message.from
    this.#lastAtMs = nowMs
  }
}
