/**
 * A ring of records of any size in shared memory: a node writes what happened, and another thread reads it without
 * asking, also when the writer is gone. A reader that is too slow learns how many records it missed.
 *
 * The writer gives up the oldest records before it writes over them, and shows a record once all of it is there. The
 * reader copies first, and then drops what was given up while it copied. So no reader sees half a record.
 */

/** Bytes of a ring. A record takes some hundred bytes, and happenings are rare. */
const capacityDefault = 1 << 16

/** The place of each number at the begin of the memory. Positions count all bytes ever written, and wrap around. */
const at = {
  /** Behind the last record that is there. */
  end: 0,
  /** The oldest record that is not given up. */
  begin: 1,
  /** Records ever written. */
  count: 2,
  /** While the writer is at work: a number that its record's sequence number is not below. 0: it is at rest. */
  floor: 3,
  /** 1 from the call of the reader until it begins to read. */
  called: 4,
} as const
const headBytes = 8 * Int32Array.BYTES_PER_ELEMENT
/** Before each record stand its length and its number, each a u32. */
const recordHeadBytes = 8

/** Sequence numbers of all writers of a cluster: each is given once, from 1 on. */
export class Sequence {
  readonly #last: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.#last = new Int32Array(memory)
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  }

  get last(): number {
    return Atomics.load(this.#last, 0)
  }

  next(): number {
    return Atomics.add(this.#last, 0, 1) + 1
  }
}

/** The memory of a ring, as both of its ends use it. */
class Ring {
  readonly head: Int32Array
  readonly bytes: Uint8Array
  readonly #view: DataView

  constructor(memory: SharedArrayBuffer) {
    this.head = new Int32Array(memory, 0, headBytes / Int32Array.BYTES_PER_ELEMENT)
    this.bytes = new Uint8Array(memory, headBytes)
    this.#view = new DataView(memory, headBytes)
  }

  /** Records begin at multiples of 4, so that no number lies across the end of the memory. */
  u32(position: number): number {
    return this.#view.getUint32(this.placeOf(position), true)
  }

  setU32(position: number, value: number): void {
    this.#view.setUint32(this.placeOf(position), value, true)
  }

  placeOf(position: number): number {
    return (position >>> 0) % this.bytes.byteLength
  }
}

/** Bytes from the begin of a record to the begin of the next. */
function sizeOf(length: number): number {
  return recordHeadBytes + ((length + 3) & ~3)
}

export class EventWriter {
  readonly #ring: Ring
  readonly #sequence: Sequence

  /** A writer that died in the midst of a record left nothing that counts: the next one goes on behind its last. */
  constructor(memory: SharedArrayBuffer, sequence: Sequence) {
    this.#ring = new Ring(memory)
    this.#sequence = sequence
    Atomics.store(this.#ring.head, at.floor, 0)
  }

  /** `capacity` is a power of two. */
  static allocate(capacity = capacityDefault): SharedArrayBuffer {
    return new SharedArrayBuffer(headBytes + capacity)
  }

  /** Writes the record that `encode` makes of the next sequence number, which comes back. */
  write(encode: (sequence: number) => Uint8Array): number {
    const { head } = this.#ring
    Atomics.store(head, at.floor, this.#sequence.last + 1)
    const sequence = this.#sequence.next()
    this.#append(encode(sequence))
    Atomics.store(head, at.floor, 0)
    return sequence
  }

  /** True for the first call since the reader began to read: the reader is to be called. */
  callsReader(): boolean {
    return Atomics.exchange(this.#ring.head, at.called, 1) === 0
  }

  #append(record: Uint8Array): void {
    const ring = this.#ring
    const { head, bytes } = ring
    const size = sizeOf(record.byteLength)
    if (size > bytes.byteLength)
      throw new RangeError(`a record of ${record.byteLength} bytes fits in no ring`)
    const end = Atomics.load(head, at.end)
    let begin = Atomics.load(head, at.begin)
    while (((end + size - begin) | 0) > bytes.byteLength) begin += sizeOf(ring.u32(begin))
    // An exchange, not a store: no byte of the record is to be there before the old ones are given up.
    Atomics.exchange(head, at.begin, begin)
    ring.setU32(end, record.byteLength)
    ring.setU32(end + 4, Atomics.add(head, at.count, 1))
    const from = ring.placeOf(end + recordHeadBytes)
    const untilEdge = Math.min(record.byteLength, bytes.byteLength - from)
    bytes.set(record.subarray(0, untilEdge), from)
    bytes.set(record.subarray(untilEdge), 0)
    Atomics.exchange(head, at.end, end + size)
  }
}

export interface Taken {
  /** In the order in which they were written. */
  readonly records: readonly Uint8Array[]
  /** Records that were given up before they were read. */
  readonly missed: number
}

export class EventReader {
  readonly #ring: Ring
  #position: number
  /** The number of the next record. */
  #next: number

  /** Begins with the oldest record that is there. */
  constructor(memory: SharedArrayBuffer) {
    this.#ring = new Ring(memory)
    this.#position = Atomics.load(this.#ring.head, at.begin)
    this.#next = 0
  }

  /** No record that the writer shows from now on has a sequence number below this; `undefined`: it is at rest. */
  get floor(): number | undefined {
    const floor = Atomics.load(this.#ring.head, at.floor)
    return floor === 0 ? undefined : floor
  }

  /** The writer is gone: what it began to write comes no more. */
  writerIsGone(): void {
    Atomics.store(this.#ring.head, at.floor, 0)
  }

  /** All records since the last call. The writer calls the reader again for later records. */
  take(): Taken {
    const { head, bytes } = this.#ring
    Atomics.store(head, at.called, 0)
    const end = Atomics.load(head, at.end)
    const from = laterOf(this.#position, Atomics.load(head, at.begin))
    const copy = new Uint8Array(Math.max(0, (end - from) | 0))
    const place = this.#ring.placeOf(from)
    const untilEdge = Math.min(copy.byteLength, bytes.byteLength - place)
    copy.set(bytes.subarray(place, place + untilEdge))
    copy.set(bytes.subarray(0, copy.byteLength - untilEdge), untilEdge)
    // An operation that also writes: no byte is to be copied after it.
    const safe = laterOf(from, Atomics.or(head, at.begin, 0))
    this.#position = laterOf(end, safe)
    return this.#split(copy, (safe - from) | 0)
  }

  #split(copy: Uint8Array, start: number): Taken {
    const view = new DataView(copy.buffer)
    const records: Uint8Array[] = []
    let missed = 0
    for (let from = start; from < copy.byteLength; ) {
      const length = view.getUint32(from, true)
      const number = view.getUint32(from + 4, true)
      missed += (number - this.#next) >>> 0
      this.#next = (number + 1) >>> 0
      records.push(copy.subarray(from + recordHeadBytes, from + recordHeadBytes + length))
      from += sizeOf(length)
    }
    return { records, missed }
  }
}

/** The later one of two positions, which wrap around. */
function laterOf(one: number, other: number): number {
  return ((other - one) | 0) > 0 ? other : one
}
