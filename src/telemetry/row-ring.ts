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

  /** Where the next row that is shown will be: where a reader begins who wants no earlier one. */
  get end(): number {
    return Atomics.load(this.#shown, 0)
  }

  /** The rows that are there, oldest first. */
  read(): Row[] {
    const { end } = this
    const found = this.readFrom((end - Math.min(end >>> 0, this.#capacity)) | 0)
    const rows: Row[] = []
    for (let at = 0; at < found.length; at++) {
      const row = found.rowAt(at)
      if (row !== undefined) rows.push(row)
    }
    return rows
  }

  /** The rows from a position on. Rows at the end whose time is not known yet are left for the next reading. */
  readFrom(from: number): Rows {
    const { end } = this
    const count = Math.min((end - from) >>> 0, this.#capacity)
    const first = (end - count) | 0
    const copy = this.#copyOf(first, count)
    let stamped = count
    const timeAt = (at: number): number => copy[at * columns + columns - 1] ?? 0
    while (stamped > 0 && Number.isNaN(timeAt(stamped - 1))) stamped--
    for (let at = 0; at < stamped; at++) {
      // The row may have got its time while it was copied. If not, its writer died before it told the time.
      if (Number.isNaN(timeAt(at)))
        copy[at * columns + columns - 1] = this.#rows[this.#placeOf(first + at) + columns - 1] ?? 0
    }
    // An operation that also writes: no row is to be copied after it.
    const shown = Atomics.or(this.#shown, 0, 0)
    const overwritten = Math.max(0, (shown - first) | 0) - (this.#capacity - marginRows)
    const unsafe = Math.min(stamped, Math.max(0, overwritten))
    const next = (first + stamped) | 0
    const lost = (first + unsafe - from) >>> 0
    return new Rows(copy.subarray(unsafe * columns, stamped * columns), next, lost)
  }

  #copyOf(first: number, count: number): Float64Array {
    const copy = new Float64Array(count * columns)
    const place = this.#placeOf(first)
    const untilEdge = Math.min(copy.length, this.#rows.length - place)
    copy.set(this.#rows.subarray(place, place + untilEdge))
    copy.set(this.#rows.subarray(0, copy.length - untilEdge), untilEdge)
    return copy
  }

  #placeOf(number: number): number {
    return (number & (this.#capacity - 1)) * columns
  }
}

/** A reader of a ring, and where it goes on. */
export class RingEnd {
  readonly #ring: RowRing
  #position = 0

  constructor(memory: ArrayBufferLike) {
    this.#ring = new RowRing(memory)
  }

  /** Leaves out the rows that are shown already. */
  skip(): void {
    this.#position = this.#ring.end
  }

  /** The rows since the last reading. */
  read(): Rows {
    const rows = this.#ring.readFrom(this.#position)
    this.#position = rows.next
    return rows
  }
}

/** Rows as they were read, oldest first. */
export class Rows {
  readonly #values: Float64Array
  /** Where the next reading goes on. */
  readonly next: number
  /** Rows that were overwritten before they were read. */
  readonly lost: number

  constructor(values: Float64Array, next: number, lost: number) {
    this.#values = values
    this.next = next
    this.lost = lost
  }

  get length(): number {
    return this.#values.length / columns
  }

  codeAt(at: number): number {
    return this.#values[at * columns] ?? 0
  }

  peerAt(at: number): number {
    return this.#values[at * columns + 1] ?? 0
  }

  markAt(at: number): number {
    return this.#values[at * columns + 2] ?? 0
  }

  termAt(at: number): number {
    return this.#values[at * columns + 3] ?? 0
  }

  /** NaN: the writer did not come to tell the time of the row. */
  timeAt(at: number): number {
    return this.#values[at * columns + 4] ?? 0
  }

  /** `undefined`: the writer did not come to tell the time of the row. */
  rowAt(at: number): Row | undefined {
    const atMs = this.timeAt(at)
    if (Number.isNaN(atMs)) return undefined
    return {
      code: this.codeAt(at),
      peer: this.peerAt(at),
      mark: this.markAt(at),
      term: this.termAt(at),
      atMs,
    }
  }
}
