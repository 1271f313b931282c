/** Closed-loop clients that call beside whatever else is done with a cluster, until they are told to end. */
import type { Cluster } from '../cluster/index.js'
import { putCalls } from './calls.js'
import { runClosedLoop } from './clients.js'
import { Tally } from './tally.js'

/** Bytes of a put. */
const size = 128

/** The calls of the clients up to now. */
export interface Seen {
  readonly clients: number
  readonly answered: number
  /** Calls that certainly did not happen, and those of which nobody knows. */
  readonly notApplied: number
  readonly unknown: number
  /** The longest time in which no call was answered. */
  readonly unavailableMs: number
}

export class BackgroundLoad {
  readonly clients: number
  readonly #tally = new Tally()

  constructor(cluster: Cluster, clients: number) {
    this.clients = clients
    this.#tally.open()
    const calls = putCalls(cluster, { size, batch: 1 })
    runClosedLoop(this.#tally, calls, clients).catch((error: unknown) => this.#tally.giveUp(error))
  }

  /** Clients make no more calls, and those on their way count no more. Throws what broke the load off, if anything did. */
  end(): Seen {
    const tally = this.#tally
    tally.isStopped = true
    tally.broken.throwIfAborted()
    const { callsSoFar: answered, notApplied, unknown, unavailableMs } = tally
    return { clients: this.clients, answered, notApplied, unknown, unavailableMs }
  }
}
