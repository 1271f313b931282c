/**
 * A ring of rows of numbers, for what happens thousands of times a second: a row costs its writer a few stores. One
 * thread writes; others read the last rows without asking, also when the writer is gone.
 */

const columns = 5
const headBytes = 8
/** The oldest rows are not read: the writer may be about to write over them. */
const marginRows = 64

export interface Row {
  readonly code: number
  readonly peer: number
  readonly mark: number
  readonly term: number
  readonly atMs: number
}

export class RowRing {
  readonly #rows: Float64Array
  /** Rows ever written, which wraps around. */
  readonly #written: Int32Array
  readonly #capacity: number

  /** Goes on where the writer before it ended. */
  constructor(memory: ArrayBufferLike) {
    this.#written = new Int32Array(memory, 0, 1)
    this.#rows = new Float64Array(memory, headBytes)
    this.#capacity = this.#rows.length / columns
  }

  /** Bytes for so many rows, a power of two. */
  static bytesFor(rows: number): number {
    return headBytes + rows * columns * Float64Array.BYTES_PER_ELEMENT
  }

  put(code: number, peer: number, mark: number, term: number, atMs: number): void {
    const written = this.#written[0] ?? 0
    const rows = this.#rows
    let place = ((written >>> 0) % this.#capacity) * columns
    rows[place++] = code
    rows[place++] = peer
    rows[place++] = mark
    rows[place++] = term
    rows[place] = atMs
    Atomics.store(this.#written, 0, written + 1)
  }

  /** The rows that are there, oldest first. */
  read(): Row[] {
    const copy = new Float64Array(this.#rows.length)
    const end = Atomics.load(this.#written, 0)
    copy.set(this.#rows)
    // An operation that also writes: no row is to be copied after it.
    const overtaken = (Atomics.or(this.#written, 0, 0) - end) | 0
    const rows: Row[] = []
    for (let back = Math.min(end >>> 0, this.#capacity - marginRows - overtaken); back > 0; back--) {
      const place = ((end - back) >>> 0) % this.#capacity
      const [code = 0, peer = 0, mark = 0, term = 0, atMs = 0] = copy.subarray(columns * place)
      rows.push({ code, peer, mark, term, atMs })
    }
    return rows
  }
}
