/**
 * A ring of rows of numbers, for what happens thousands of times a second: a row costs its writer a few stores. One
 * thread writes; others read the last rows without asking, also when the writer is gone.
 */

const columns = 5
const headBytes = 8
/** Rows are shown once so many are written, or when the writer says so: showing costs more than writing. */
const hiddenRowsMax = 32
/** The oldest rows are not read: the writer may write over them before it shows that. */
const marginRows = 2 * hiddenRowsMax

export interface Row {
  readonly code: number
  readonly peer: number
  readonly mark: number
  readonly term: number
  readonly atMs: number
}

export class RowRing {
  readonly #rows: Float64Array
  /** Rows that readers may see: those ever written, which wraps around. */
  readonly #shown: Int32Array
  #written: number
  /** The first row whose time is not known yet. */
  #unstamped: number
  /** A power of two. */
  readonly #capacity: number

  /** Goes on where the writer before it ended. */
  constructor(memory: ArrayBufferLike) {
    this.#shown = new Int32Array(memory, 0, 1)
    this.#written = Atomics.load(this.#shown, 0)
    this.#unstamped = this.#written
    this.#rows = new Float64Array(memory, headBytes)
    this.#capacity = this.#rows.length / columns
  }

  /** Bytes for so many rows, a power of two. */
  static bytesFor(rows: number): number {
    return headBytes + rows * columns * Float64Array.BYTES_PER_ELEMENT
  }

  /** `atMs` NaN: the next stamp tells the time. */
  put(code: number, peer: number, mark: number, term: number, atMs: number): void {
    const rows = this.#rows
    let place = this.#placeOf(this.#written)
    rows[place++] = code
    rows[place++] = peer
    rows[place++] = mark
    rows[place++] = term
    rows[place] = atMs
    this.#written = (this.#written + 1) | 0
    if (this.#written % hiddenRowsMax === 0) this.show()
  }

  /** All rows without a time were put now. */
  stamp(atMs: number): void {
    for (; this.#unstamped !== this.#written; this.#unstamped = (this.#unstamped + 1) | 0) {
      const place = this.#placeOf(this.#unstamped) + columns - 1
      if (Number.isNaN(this.#rows[place])) this.#rows[place] = atMs
    }
  }

  /** Shows readers all that was put. */
  show(): void {
    if (this.#written !== this.#shown[0]) Atomics.store(this.#shown, 0, this.#written)
  }

  /** The rows that are there, oldest first. */
  read(): Row[] {
    const copy = new Float64Array(this.#rows.length)
    const end = Atomics.load(this.#shown, 0)
    copy.set(this.#rows)
    // An operation that also writes: no row is to be copied after it.
    const overtaken = (Atomics.or(this.#shown, 0, 0) - end) | 0
    const rows: Row[] = []
    for (let back = Math.min(end >>> 0, this.#capacity - marginRows - overtaken); back > 0; back--) {
      const place = this.#placeOf(end - back)
      const column = (at: number): number => copy[place + at] ?? 0
      const atMs = column(4)
      // The writer did not come to tell the time of the row.
      if (Number.isNaN(atMs)) continue
      rows.push({ code: column(0), peer: column(1), mark: column(2), term: column(3), atMs })
    }
    return rows
  }

  #placeOf(number: number): number {
    return (number & (this.#capacity - 1)) * columns
  }
}
