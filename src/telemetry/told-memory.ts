/**
 * The last of what a node tells about one thing, in memory that other threads read without asking: also of a node that
 * is frozen or has ended. The node's thread alone writes.
 *
 * The memory has two halves. A writer fills the half that readers do not read, and then shows it, so a writer that dies
 * in the midst leaves what it told before.
 */

/** The first word counts what was told. The length of each half's text follows. */
const versionAt = 0
const lengthAt = [1, 2] as const
const headerBytes = 16

export class ToldMemory<Told> {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #halves: readonly [Uint8Array, Uint8Array]
  /** The value that was read last, and the count by then: one object for all who read it, so nobody can change it. */
  #known: { readonly version: number; readonly told: Told } | undefined

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.#words = new Int32Array(memory, 0, headerBytes / Int32Array.BYTES_PER_ELEMENT)
    const textBytes = (memory.byteLength - headerBytes) / 2
    this.#halves = [
      new Uint8Array(memory, headerBytes, textBytes),
      new Uint8Array(memory, headerBytes + textBytes, textBytes),
    ]
  }

  /** Memory for texts of up to so many bytes. */
  static allocate(textBytes: number): SharedArrayBuffer {
    return new SharedArrayBuffer(headerBytes + 2 * textBytes)
  }

  tell(told: Told): void {
    const half = (Atomics.load(this.#words, versionAt) & 1) === 0 ? 1 : 0
    const bytes = new TextEncoder().encode(JSON.stringify(told))
    this.#halves[half].set(bytes)
    this.#words[lengthAt[half]] = bytes.byteLength
    // An operation that also reads: no byte of the next text is written before it.
    Atomics.add(this.#words, versionAt, 1)
  }

  /** `undefined`: the node has told nothing yet. */
  read(): Told | undefined {
    for (;;) {
      const version = Atomics.load(this.#words, versionAt)
      if (version === 0) return undefined
      if (this.#known?.version === version) return this.#known.told
      const half = (version & 1) === 0 ? 0 : 1
      const bytes = this.#halves[half].slice(0, this.#words[lengthAt[half]])
      // An operation that also writes: no byte is copied after it.
      if (Atomics.or(this.#words, versionAt, 0) !== version) continue
      this.#known = { version, told: JSON.parse(new TextDecoder().decode(bytes), frozen) }
      return this.#known.told
    }
  }
}

function frozen(_: string, value: unknown): unknown {
  return Object.freeze(value)
}
