/** Puts records into a cluster: many at a time, each until it is acknowledged, those of one key in their order. */
import { type Bytes, type Cluster, RaftError } from '../cluster/index.js'
import type { Charset, RecordText } from './input/record-text.js'

/** Records and bytes that are on their way at a time. */
const inFlightMax = 4096
const bytesInFlightMax = 16 << 20
/** Before a record is tried again. */
const pauseMs = 20
/** A record that cannot be put for so long ends the load. */
const patienceMs = 60_000

export class Loader {
  readonly keys = new Set<string>()
  acknowledged = 0
  retries = 0
  readonly #cluster: Cluster
  readonly #charset: Charset
  /** The last record of a key that is on its way. */
  readonly #inFlight = new Map<string, Promise<void>>()
  #count = 0
  #bytes = 0
  #failure: unknown
  #settled: () => void = () => undefined

  constructor(cluster: Cluster, charset: Charset) {
    this.#cluster = cluster
    this.#charset = charset
  }

  /** Resolves once there is room for the next record. Rejects when an earlier one could not be put. */
  async put(record: RecordText): Promise<void> {
    const bytes = record.key.length + record.value.length
    while (this.#count >= inFlightMax || (this.#count > 0 && this.#bytes + bytes > bytesInFlightMax))
      await this.#next()
    if (this.#failure !== undefined) throw this.#failure
    this.#count++
    this.#bytes += bytes
    const done: Promise<void> = this.#putAfter(this.#inFlight.get(record.key), record).then(
      () => this.#end(record, done, bytes),
      (error: unknown) => {
        this.#failure ??= error
        this.#end(record, done, bytes)
      },
    )
    this.#inFlight.set(record.key, done)
  }

  /** Waits until every record that was taken is acknowledged. */
  async finish(): Promise<void> {
    while (this.#count > 0) await this.#next()
    if (this.#failure !== undefined) throw this.#failure
  }

  async #putAfter(earlier: Promise<void> | undefined, { key, value }: RecordText): Promise<void> {
    // One at a time for each key: a retry must not overtake a later record, so that the last line wins.
    await earlier
    if (this.#failure !== undefined) throw this.#failure
    const deadlineMs = performance.now() + patienceMs
    for (;;) {
      try {
        await this.#cluster.put(this.#bytesOf(key), this.#bytesOf(value))
        this.acknowledged++
        this.keys.add(key)
        return
      } catch (error) {
        const isHopeless = hasLostItsQuorum(this.#cluster)
        if (isHopeless || !mayTryAgain(error) || performance.now() > deadlineMs) throw error
        this.retries++
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    }
  }

  #bytesOf(text: string): Bytes {
    return this.#charset === 'utf8' ? text : Buffer.from(text, this.#charset)
  }

  #end({ key }: RecordText, done: Promise<void>, bytes: number): void {
    if (this.#inFlight.get(key) === done) this.#inFlight.delete(key)
    this.#count--
    this.#bytes -= bytes
    this.#settled()
  }

  /** The next time that a record is settled. */
  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled = resolve
    })
  }
}

/** So many nodes have failed that the others can commit nothing, and none of them comes back by itself. */
function hasLostItsQuorum(cluster: Cluster): boolean {
  const nodes = cluster.status()
  return nodes.filter(({ state }) => state === 'running').length <= nodes.length / 2
}

/** What was not applied may be sent again; so may what has an unknown outcome: the same value put twice is as put once. */
function mayTryAgain(error: unknown): boolean {
  return error instanceof RaftError && (error.isRetryable || error.code === 'UNKNOWN_OUTCOME')
}
