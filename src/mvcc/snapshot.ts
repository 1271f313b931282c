/** Snapshots of the store: how a state becomes pieces of bytes, and how pieces become a state. */
import { createHash } from 'node:crypto'
import { Memory } from '../machine/index.js'
import type { Leases } from './leases-seam.js'
import { bodyOf, type Ref } from './records.js'
import { Store } from './store.js'

/** u32 format · f64 revision · f64 compacted revision · u32 bytes of the leases · u32 bytes of the alarms · the leases · the alarms */
const headerBytes = 4 + 8 + 8 + 4 + 4
/** The number of the layout, raised with each change of it. */
const format = 0x31_43_56_4d

/** u32 bytes of the message · u32 place · u8 flags · f64 revision · the message */
const recordHeadBytes = 4 + 4 + 1 + 8
const flags = { isDelete: 1, hasLease: 2 } as const
/** Stands for the bytes of a message behind the last record. */
const end = 0xffff_ffff

/** A piece is cut after the record that fills it. */
const pieceBytes = 128 * 1024

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
  const { records } = store
  yield header
  let refs: Ref[] = []
  let length = 0
  for (const number of records.order) {
    for (const ref of records.refsOf(number)) {
      // Later records follow: all of them were appended after the snapshot began.
      if (records.revisionOf(ref) > revision) break
      if (!store.isKept(ref, compactRevision)) continue
      refs.push(ref)
      length += recordHeadBytes + records.lengthOf(ref)
      if (length < pieceBytes) continue
      yield pieceOf(store, refs, length)
      refs = []
      length = 0
    }
  }
  if (refs.length > 0) yield pieceOf(store, refs, length)
  yield new Uint8Array([0xff, 0xff, 0xff, 0xff])
}

function pieceOf({ records }: Store, refs: readonly Ref[], length: number): Uint8Array {
  const piece = new Uint8Array(length)
  const view = new DataView(piece.buffer)
  let at = 0
  for (const ref of refs) {
    const bytes = records.lengthOf(ref)
    view.setUint32(at, bytes, true)
    view.setUint32(at + 4, records.placeOf(ref), true)
    view.setUint8(
      at + 8,
      (records.isDelete(ref) ? flags.isDelete : 0) | (records.hasLease(ref) ? flags.hasLease : 0),
    )
    view.setFloat64(at + 9, records.revisionOf(ref), true)
    const body = bodyOf(ref)
    piece.set(records.memoryOf(ref).bytes.subarray(body, body + bytes), at + recordHeadBytes)
    at += recordHeadBytes + bytes
  }
  return piece
}

/** SHA-256 over the snapshot. Equal states have equal hashes, whatever commands led to them. */
export function hashState(store: Store, leases: Uint8Array, alarms: Uint8Array): string {
  const hash = createHash('sha256')
  for (const piece of snapshotOf(store, leases, alarms)) hash.update(piece)
  return hash.digest('hex')
}

/**
 * Makes a store from the pieces of a snapshot, wherever they are cut; `takeLeases` makes the leases from their part.
 * Throws when the pieces are not a whole snapshot.
 */
export function readSnapshot<Made extends Leases>(
  pieces: Iterable<Uint8Array>,
  takeLeases: (packed: Uint8Array) => Made,
): { readonly store: Store; readonly leases: Made; readonly alarms: Uint8Array } {
  const bytes = new Pending(pieces)
  const header = bytes.take(headerBytes)
  check(header.view.getUint32(0, true) === format, 'its first bytes are not those of one')
  const revision = header.view.getFloat64(4, true)
  const compactRevision = header.view.getFloat64(12, true)
  const leasesBytes = header.view.getUint32(20, true)
  const alarmsBytes = header.view.getUint32(24, true)
  check(Number.isSafeInteger(revision) && compactRevision <= revision, 'its revisions are none')
  const leases = takeLeases(bytes.take(leasesBytes).bytes.slice())
  const alarms = bytes.take(alarmsBytes).bytes.slice()
  const store = new Store(leases)
  store.revision = revision
  store.compactRevision = compactRevision
  for (;;) {
    const length = bytes.take(4).view.getUint32(0, true)
    if (length === end) break
    const { view } = bytes.take(recordHeadBytes - 4)
    const place = view.getUint32(0, true)
    const flag = view.getUint8(4)
    const recordRevision = view.getFloat64(5, true)
    check(recordRevision <= revision, 'a key is newer than the whole')
    const head = {
      place,
      revision: recordRevision,
      isDelete: (flag & flags.isDelete) !== 0,
      hasLease: (flag & flags.hasLease) !== 0,
    }
    store.addRecord(head, bytes.take(length), 0, length)
  }
  check(bytes.isEmpty, 'it does not end with its last record')
  store.attachAll()
  return { store, leases, alarms }
}

/** The bytes of pieces that come one by one. */
class Pending {
  readonly #pieces: Iterator<Uint8Array>
  #bytes = new Uint8Array(0)
  #at = 0

  constructor(pieces: Iterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.iterator]()
  }

  /** The next bytes, valid until the next call. */
  take(length: number): Memory {
    while (this.#bytes.byteLength - this.#at < length) this.#pull(length)
    this.#at += length
    return new Memory(this.#bytes.subarray(this.#at - length, this.#at))
  }

  get isEmpty(): boolean {
    if (this.#at < this.#bytes.byteLength) return false
    for (;;) {
      const { done, value } = this.#pieces.next()
      if (done === true) return true
      if (value.byteLength > 0) return false
    }
  }

  #pull(length: number): void {
    const { done, value } = this.#pieces.next()
    check(done !== true, 'it ends too early')
    const rest = this.#bytes.subarray(this.#at)
    // Short pieces behind a long record are gathered in room for all of it.
    const bytes = new Uint8Array(rest.byteLength + value.byteLength)
    bytes.set(rest)
    bytes.set(value, rest.byteLength)
    this.#bytes = bytes
    this.#at = 0
    check(length <= lengthMax, 'a record is too long')
  }
}

/** No message of a client is that long. */
const lengthMax = 0x7fff_ffff

function check(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(`snapshot of the store: ${otherwise}`)
}
