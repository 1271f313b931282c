/** A lease with one key, as its client knows it. */
export class HeldLease {
  readonly id: string
  readonly key: string
  readonly ttlMs: number
  /** When the last renewal that was answered was sent: the server counts from no earlier moment. */
  #renewedMs: number
  /** When that answer came: the server counts from no later moment. */
  #answeredMs: number
  isRevoked = false
  /** The lease was over before its key was put. */
  isWithoutKey = false
  /** When a watch told that the key is deleted; `undefined`: it is there. */
  deletedMs: number | undefined

  constructor(id: string, key: string, ttlMs: number, sentMs: number) {
    this.id = id
    this.key = key
    this.ttlMs = ttlMs
    this.#renewedMs = sentMs
    this.#answeredMs = performance.now()
  }

  renewed(sentMs: number): void {
    this.#renewedMs = sentMs
    this.#answeredMs = performance.now()
  }

  /** Whether the lease may have ended by itself until now. */
  get mayBeOver(): boolean {
    return performance.now() > this.#renewedMs + this.ttlMs
  }

  /** How long after its end the key was deleted: an answer was a while on its way, so at least so many milliseconds. */
  get lateMs(): number {
    return this.deletedMs === undefined ? 0 : this.deletedMs - this.#answeredMs - this.ttlMs
  }

  /** What is wrong about the end of the lease, if something is. */
  wrong(): string | undefined {
    if (this.deletedMs === undefined) return `${this.key} outlived its lease`
    const lived = this.deletedMs - this.#renewedMs
    if (this.isRevoked || lived >= this.ttlMs) return undefined
    return `${this.key} lived ${Math.round(lived)} ms after the last renewal of a lease of ${this.ttlMs} ms`
  }
}
