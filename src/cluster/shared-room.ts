/**
 * Room for bytes that all callers of a cluster share. A caller may hold as much as is free. So a caller that is alone holds
 * up to half of the room, N callers that want all that they can get hold an equal part each, and the same part stays
 * free for a caller that holds nothing yet.
 */
export class SharedRoom {
  readonly #bytes: number
  #held = 0

  /** `ownBytesMax`: what a caller that is alone may hold. */
  constructor(ownBytesMax: number) {
    this.#bytes = 2 * ownBytesMax
  }

  /** Whether a caller that holds so much may hold more. */
  isOpenTo(own: number): boolean {
    return own <= this.#bytes - this.#held
  }

  take(bytes: number): void {
    this.#held += bytes
  }

  leave(bytes: number): void {
    this.#held -= bytes
  }
}
