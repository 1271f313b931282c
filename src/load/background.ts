/** Clients that call beside whatever else is done with a cluster, until they are told to end. */
import type { Cluster } from '../cluster/index.js'
import { putCalls } from './calls.js'
import { OpenLoop, runClosedLoop } from './clients.js'
import { Tally } from './tally.js'

/** Bytes of a put, unless another size is asked for. */
const usualSize = 128

export interface BackgroundOptions {
  readonly clients: number
  /** Bytes of a put. Default: 128. Least: 11. Most: 256 KiB. */
  readonly size?: number | undefined
  /**
   * Calls a second of all clients together; the more clients, the more of them may be on their way. Calls that are late
   * are made up for. Default: each client calls again once it is answered.
   */
  readonly rate?: number | undefined
}

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

  constructor(cluster: Cluster, { clients, size = usualSize, rate }: BackgroundOptions) {
    this.clients = clients
    this.#tally.open()
    const calls = putCalls(cluster, { size, batch: 1 })
    const pace = { rate: rate ?? 0, arrivals: 'poisson', inFlightMax: clients, wakeAfter, random } as const
    const running =
      rate === undefined
        ? runClosedLoop(this.#tally, calls, clients)
        : new OpenLoop(this.#tally, calls, pace).run()
    running.catch((error: unknown) => this.#tally.giveUp(error))
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

const { random } = Math

/** A load alone keeps no program alive. */
function wakeAfter(callback: () => void, ms: number): void {
  setTimeout(callback, ms).unref()
}
