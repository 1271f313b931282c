/** Takes the times of a node that its latencies are made of, on the clock of the story. */
import type { Message } from '../raft/index.js'
import type { NodeLatencies } from './node-latencies.js'

/** The last rounds of heartbeats whose answers are timed. */
const roundsMax = 64

export class Stopwatch {
  readonly #latencies: NodeLatencies
  readonly #now: () => number
  readonly #tickMs: number
  #flushBeganMs = 0
  #tickedAtMs: number | undefined
  /** When rounds left in `#term`: round N is at N modulo their number. */
  readonly #sentAtMs = new Float64Array(roundsMax)
  #term = 0
  #round = 0

  constructor(latencies: NodeLatencies, now: () => number, tickMs: number) {
    this.#latencies = latencies
    this.#now = now
    this.#tickMs = tickMs
  }

  flushBegan(): void {
    this.#flushBeganMs = this.#now()
  }

  flushEnded(nowMs: number): void {
    this.#latencies.flushes.record((nowMs - this.#flushBeganMs) * 1000)
  }

  ticked(nowMs: number): void {
    const lateMs = nowMs - (this.#tickedAtMs ?? nowMs - this.#tickMs) - this.#tickMs
    this.#tickedAtMs = nowMs
    this.#latencies.ticksLate.record(Math.max(0, lateMs) * 1000)
  }

  sent(message: Message): void {
    if (message.type !== 'appendEntries' || message.mode !== 'heartbeat') return
    const { term, round } = message
    // All messages of a round leave together.
    if (term === this.#term && round === this.#round) return
    this.#term = term
    this.#round = round
    this.#sentAtMs[round % roundsMax] = this.#now()
  }

  received(message: Message): void {
    if (message.type !== 'appendEntriesResponse' || message.mode !== 'heartbeat') return
    const { from, term, round } = message
    if (term !== this.#term || round <= this.#round - roundsMax || round > this.#round) return
    const sentAtMs = this.#sentAtMs[round % roundsMax] ?? 0
    this.#latencies.answered(from, (this.#now() - sentAtMs) * 1000)
  }
}
