/** Snapshots of the store: how a state becomes pieces of bytes, and how pieces become a state. */
import { createHash } from 'node:crypto'
import { Memory } from '../machine/index.js'
import type { Place } from './key-order.js'
import { Leases } from './leases.js'
import { bodyOf, type Ref } from './records.js'
import { Store } from './store.js'

/** u32 format · f64 revision · f64 compacted revision · u32 bytes of the leases · u32 bytes of the alarms · the leases · the alarms */
const headerBytes = 4 + 8 + 8 + 4 + 4
/** The number of the layout, raised with each change of it. */
const format = 0x31_43_56_4d

/** u32 bytes of the message · u32 number of the key · u32 place · u8 flags · f64 revision · the message */
const recordHeadBytes = 4 + 4 + 4 + 1 + 8
const flags = { isDelete: 1, hasLease: 2 } as const
/**
 * Stands for the bytes of a message behind the last record. The numbers of all keys follow, u32 each, in the order of
 * the keys, and 0. Keys are numbered from 1 on, in the order of their first records.
 */
const end = 0xffff_ffff

/** A piece is cut after the record that fills it. */
const pieceBytes = 128 * 1024
/** A piece of the order has this many keys. */
const pieceKeys = 4096

/**
 * The state at the moment of the call. Commands may be applied between two pieces, as long as no record is moved or
 * dropped.
 */
export function snapshotOf(
  store: Store,
  leases: Uint8Array,
  alarms: Uint8Array,
): Generator<Uint8Array, undefined, undefined> {
  const { revision, compactRevision } = store
  const header = new Uint8Array(headerBytes + leases.byteLength + alarms.byteLength)
  const view = new DataView(header.buffer)
  view.setUint32(0, format, true)
  view.setFloat64(4, revision, true)
  view.setFloat64(12, compactRevision, true)
  view.setUint32(20, leases.byteLength, true)
  view.setUint32(24, alarms.byteLength, true)
  header.set(leases, headerBytes)
  header.set(alarms, headerBytes + leases.byteLength)
  return pieces(store, header, revision, compactRevision)
}

function* pieces(
  store: Store,
  header: Uint8Array,
  revision: number,
  compactRevision: number,
): Generator<Uint8Array, undefined, undefined> {
  const { records, keys } = store
  yield header
  const numbers = new Numbers(keys.numbersEnd)
  let refs: Ref[] = []
  let length = 0
  for (const segment of records.order) {
    for (const ref of records.refsOf(segment)) {
      // Later records follow: all of them were appended after the snapshot began.
      if (records.revisionOf(ref) > revision) break
      if (!store.isKept(ref, compactRevision)) continue
      refs.push(ref)
      length += recordHeadBytes + records.lengthOf(ref)
      if (length < pieceBytes) continue
      yield pieceOf(store, refs, length, numbers)
      refs = []
      length = 0
    }
  }
  if (refs.length > 0) yield pieceOf(store, refs, length, numbers)
  yield* orderPieces(store, numbers)
}

/** The numbers of keys within a snapshot, by their numbers in the store. A key without a record in it has none. */
class Numbers {
  readonly #given: Int32Array
  #count = 0

  constructor(end: number) {
    this.#given = new Int32Array(end)
  }

  give(key: number): number {
    if (this.#given[key] === 0) this.#given[key] = ++this.#count
    return this.#given[key]!
  }

  of(key: number): number {
    return this.#given[key] ?? 0
  }
}

function pieceOf({ records }: Store, refs: readonly Ref[], length: number, numbers: Numbers): Uint8Array {
  const piece = new Uint8Array(length)
  const view = new DataView(piece.buffer)
  let at = 0
  for (const ref of refs) {
    const bytes = records.lengthOf(ref)
    view.setUint32(at, bytes, true)
    view.setUint32(at + 4, numbers.give(records.keyOf(ref)), true)
    view.setUint32(at + 8, records.placeOf(ref), true)
    view.setUint8(
      at + 12,
      (records.isDelete(ref) ? flags.isDelete : 0) | (records.hasLease(ref) ? flags.hasLease : 0),
    )
    view.setFloat64(at + 13, records.revisionOf(ref), true)
    const body = bodyOf(ref)
    piece.set(records.memoryOf(ref).bytes.subarray(body, body + bytes), at + recordHeadBytes)
    at += recordHeadBytes + bytes
  }
  return piece
}

/** The end of the records, and the order of the keys. Keys may be added between two pieces, and none is removed. */
function* orderPieces({ keys }: Store, numbers: Numbers): Generator<Uint8Array, undefined, undefined> {
  let from: Place = { memory: new Memory(new Uint8Array(0)), start: 0, length: 0 }
  let found = [end]
  for (let last = 0, next = 0; ; last = next) {
    keys.order.visit({ ...from, end: 0, endLength: 0 }, (key) => {
      next = key
      // The visit begins with the key that ended the last one.
      if (key !== last && numbers.of(key) !== 0) found.push(numbers.of(key))
      return found.length < pieceKeys
    })
    const isLast = found.length < pieceKeys
    if (isLast) found.push(0)
    yield Uint8Array.from(Buffer.from(Uint32Array.from(found).buffer))
    if (isLast) return
    found = []
    const { memory, start, length } = keys.placeOf(next)
    from = { memory: new Memory(memory.bytes.slice(start, start + length)), start: 0, length }
  }
}

/** SHA-256 over the snapshot. Equal states have equal hashes, whatever commands led to them. */
export function hashState(store: Store, leases: Uint8Array, alarms: Uint8Array): string {
  const hash = createHash('sha256')
  for (const piece of snapshotOf(store, leases, alarms)) hash.update(piece)
  return hash.digest('hex')
}

/** The parts of a state. The alarms are packed. */
export interface RestoredState {
  readonly store: Store
  readonly leases: Leases
  readonly alarms: Uint8Array
}

/** Makes a state from the pieces of a snapshot, wherever they are cut. Throws when they are not a whole snapshot. */
export function readSnapshot(pieces: Iterable<Uint8Array>): RestoredState {
  const bytes = new Pending(pieces)
  const header = bytes.take(headerBytes)
  const { view } = bytes.memory
  check(view.getUint32(header, true) === format, 'its first bytes are not those of one')
  const revision = view.getFloat64(header + 4, true)
  const compactRevision = view.getFloat64(header + 12, true)
  const leasesBytes = view.getUint32(header + 20, true)
  const alarmsBytes = view.getUint32(header + 24, true)
  check(Number.isSafeInteger(revision) && compactRevision <= revision, 'its revisions are none')
  const leases = Leases.unpacked(bytes.copy(leasesBytes))
  const alarms = bytes.copy(alarmsBytes)
  const store = new Store(leases)
  store.revision = revision
  store.compactRevision = compactRevision
  readRecords(bytes, store)
  readOrder(bytes, store)
  check(bytes.isEmpty, 'it does not end with its last record')
  store.attachAll()
  return { store, leases, alarms }
}

function readRecords(bytes: Pending, store: Store): void {
  for (;;) {
    const length = bytes.uint32()
    if (length === end) return
    const at = bytes.take(recordHeadBytes - 4)
    const { view } = bytes.memory
    const flag = view.getUint8(at + 8)
    const head = {
      key: view.getUint32(at, true),
      place: view.getUint32(at + 4, true),
      revision: view.getFloat64(at + 9, true),
      isDelete: (flag & flags.isDelete) !== 0,
      hasLease: (flag & flags.hasLease) !== 0,
    }
    check(head.revision <= store.revision, 'a key is newer than the whole')
    const start = bytes.take(length)
    check(store.addRecord(head, bytes.memory, start, length), 'a record is not that of its key')
  }
}

function readOrder(bytes: Pending, { keys }: Store): void {
  let count = 0
  for (let number = bytes.uint32(); number !== 0; number = bytes.uint32()) {
    check(number < keys.numbersEnd && keys.order.append(number), 'its keys are in no order')
    count++
  }
  check(count === keys.numbersEnd - 1, 'a key has no place in the order')
}

/** The bytes of pieces that come one by one. */
class Pending {
  readonly #pieces: Iterator<Uint8Array>
  /** Bytes that were pulled. The next call of `take` may replace them. */
  memory = new Memory(new Uint8Array(0))
  #at = 0
  #end = 0

  constructor(pieces: Iterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.iterator]()
  }

  /** Where the next bytes stand in `memory`. */
  take(length: number): number {
    while (this.#end - this.#at < length) check(this.#pull(), 'it ends too early')
    this.#at += length
    return this.#at - length
  }

  uint32(): number {
    const at = this.take(4)
    return this.memory.view.getUint32(at, true)
  }

  copy(length: number): Uint8Array {
    const at = this.take(length)
    return this.memory.bytes.slice(at, at + length)
  }

  get isEmpty(): boolean {
    while (this.#at === this.#end) if (!this.#pull()) return true
    return false
  }

  /** False: there is no further piece. */
  #pull(): boolean {
    const { done, value } = this.#pieces.next()
    if (done === true) return false
    const { bytes } = this.memory
    const rest = this.#end - this.#at
    const length = rest + value.byteLength
    if (length <= bytes.byteLength) bytes.copyWithin(0, this.#at, this.#end)
    else {
      const longer = new Uint8Array(Math.max(length, 2 * bytes.byteLength))
      longer.set(bytes.subarray(this.#at, this.#end))
      this.memory = new Memory(longer)
    }
    this.memory.bytes.set(value, rest)
    this.#at = 0
    this.#end = length
    return true
  }
}

function check(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(`snapshot of the store: ${otherwise}`)
}
