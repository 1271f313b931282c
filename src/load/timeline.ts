/** What happened in each second of a window, so that a mean hides neither a stall nor an election. */
import type { Cluster, ClusterEvent } from '../cluster/index.js'
import type { Tally } from './tally.js'

export interface Second {
  readonly second: number
  readonly commitsPerSecond: number
  readonly p99ms: number
  /** Elections that began within this second, over all nodes. */
  readonly elections: number
}

/** A rest of the window that is shorter than this gives no rate: its elections go to the second before. */
const restMsMin = 500

export class Timeline {
  readonly seconds: Second[] = []
  readonly #cluster: Cluster
  readonly #tally: Tally
  #timer: NodeJS.Timeout | undefined
  #startedAtMs = 0
  #elections = 0

  readonly #seen = (event: ClusterEvent): void => {
    if (event.type === 'role' && event.role === 'candidate') this.#elections++
  }

  constructor(cluster: Cluster, tally: Tally) {
    this.#cluster = cluster
    this.#tally = tally
  }

  start(): void {
    this.#cluster.events.on('event', this.#seen)
    this.#startedAtMs = this.#tally.now()
    this.#timer = setInterval(() => this.#end(), 1000)
  }

  /** Nothing happens where it is stopped already. */
  stop(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#cluster.events.off('event', this.#seen)
    const last = this.seconds.pop()
    if (last === undefined) return this.#end()
    const isShort = this.#tally.now() - this.#startedAtMs < restMsMin
    this.seconds.push(isShort ? { ...last, elections: last.elections + this.#elections } : last)
    if (!isShort) this.#end()
  }

  #end(): void {
    const nowMs = this.#tally.now()
    const { commands, p99ms } = this.#tally.cut()
    this.seconds.push({
      second: this.seconds.length,
      commitsPerSecond: Math.round((commands / (nowMs - this.#startedAtMs)) * 1000),
      p99ms,
      elections: this.#elections,
    })
    this.#startedAtMs = nowMs
    this.#elections = 0
  }
}
