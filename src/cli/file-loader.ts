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

export class FileLoader {
  readonly keys = new Set<string>()
  acknowledged = 0
  retries = 0
  readonly #cluster: Cluster
  readonly #charset: Charset
  /** Records of a key that wait until those before them are acknowledged. Keys without any on their way are absent. */
  readonly #waiting = new Map<string, RecordText[]>()
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
    const waiting = this.#waiting.get(record.key)
    if (waiting !== undefined) {
      waiting.push(record)
      return
    }
    const records = [record]
    this.#waiting.set(record.key, records)
    void this.#putInTurn(record.key, records)
  }

  /** Waits until every record that was taken is acknowledged. */
  async finish(): Promise<void> {
    while (this.#count > 0) await this.#next()
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Puts what waits for the key, all of it at a time: then a file that repeats one key waits for few flushes. */
  async #putInTurn(key: string, waiting: RecordText[]): Promise<void> {
    while (waiting.length > 0) {
      const records = waiting.splice(0)
      try {
        if (this.#failure === undefined) await this.#putTogether(records)
      } catch (error) {
        this.#failure ??= error
      }
      this.#count -= records.length
      for (const record of records) this.#bytes -= record.key.length + record.value.length
      if (waiting.length === 0) this.#waiting.delete(key)
      this.#settled()
    }
  }

  /**
   * Records of one key, which the leader takes in their order. When one is refused, all of them are put again: a retry
   * of that one alone would overtake those behind it, and the last one is to win.
   */
  async #putTogether(records: readonly RecordText[]): Promise<void> {
    const deadlineMs = performance.now() + patienceMs
    for (;;) {
      const calls = records.map(({ key, value }) =>
        this.#cluster.put(this.#bytesOf(key), this.#bytesOf(value)),
      )
      const outcomes = await Promise.allSettled(calls)
      const refused = outcomes.find((outcome) => outcome.status === 'rejected')
      if (refused === undefined) break
      const isHopeless = hasLostItsQuorum(this.#cluster)
      if (isHopeless || !mayTryAgain(refused.reason) || performance.now() > deadlineMs) {
        this.acknowledged += outcomes.filter(({ status }) => status === 'fulfilled').length
        throw refused.reason
      }
      this.retries++
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
    this.acknowledged += records.length
    for (const { key } of records) this.keys.add(key)
  }

  #bytesOf(text: string): Bytes {
    return this.#charset === 'utf8' ? text : Buffer.from(text, this.#charset)
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
