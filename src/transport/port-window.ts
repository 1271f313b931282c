/**
 * How much lies unread in one direction of a port. A MessagePort has no back-pressure of its own: the sender counts what
 * it sends, and the receiver counts what it takes in memory that both share, so the sender knows without asking.
 */
export class PortWindow {
  readonly #taken: Int32Array
  readonly #at: number
  readonly #bytesMax: number
  /** As the count of what was taken, it wraps around. */
  #sent: number

  /** The receiver counts at the place `at` of `taken`, and has taken all that was sent until now. */
  constructor(taken: Int32Array, at: number, bytesMax: number) {
    this.#sent = Atomics.load(taken, at)
    this.#taken = taken
    this.#at = at
    this.#bytesMax = bytesMax
  }

  /** Whether so much lies unread that nothing more is to be sent. */
  get isFull(): boolean {
    return ((this.#sent - Atomics.load(this.#taken, this.#at)) | 0) >= this.#bytesMax
  }

  sent(bytes: number): void {
    this.#sent = (this.#sent + bytes) | 0
  }

  /** For the receiver. */
  took(bytes: number): void {
    Atomics.add(this.#taken, this.#at, bytes)
  }
}
