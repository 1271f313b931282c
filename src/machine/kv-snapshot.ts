/** Snapshots of the built-in KV: how a state becomes pieces of bytes, and how pieces become a state. */
import { createHash } from 'node:crypto'
import { assert, readUint32 } from '../raft/index.js'
import {
  entryBytesAt,
  entryBytesIn,
  entryBytesMax,
  entryOffset,
  keyLengthAt,
  keyOffset,
  markAt,
  readHead,
  setMark,
} from './kv-entry.js'
import { offsetOfRef } from './kv-slabs.js'
import { KvState } from './kv-state.js'
import { copyRange, Memory } from './memory.js'
import { readUint64, setUint64 } from './packed.js'

/** u32 format · u64 revision · u64 count of entries */
const headerBytes = 20
/**
 * The number of the layout, raised with each change of it, so that a node of another version refuses the snapshot with
 * a clear reason.
 */
const format = 0x31_56_4b_52

/** A piece is cut after the entry that fills it. */
export const pieceBytesUsual = 128 * 1024

/**
 * A snapshot of the state at the moment of its making, pulled while later commands are applied. Records are visited in
 * the order of their keys. The state calls `keep` before it changes a record, and a record that was not visited yet is
 * copied then. A record that was created later carries the snapshot's number, and is passed over.
 */
export class SnapshotReader implements Iterator<Uint8Array> {
  readonly #number: number
  readonly #pieceBytes: number
  readonly #state: KvState
  readonly #revision: number
  readonly #count: number
  readonly #onEnd: () => void
  /**
   * Full pieces of kept entries: entries that changed after the snapshot began, before they were visited, with their
   * earlier values.
   */
  #keptPieces: Uint8Array[] = []
  /** Kept entries that fill no piece yet. The next piece begins with them. */
  #kept: Memory | undefined
  #keptBytes = 0
  /** The key that was visited last. The next visit begins behind it. */
  #cursor = new Memory(new Uint8Array(0))
  /** How many entries were neither visited nor kept. */
  #unsettled: number
  #hasBegun = false
  #hasEnded = false

  constructor(state: KvState, number: number, pieceBytes: number, onEnd: () => void) {
    this.#number = number
    this.#pieceBytes = pieceBytes
    this.#state = state
    this.#revision = state.revision
    this.#count = state.count
    this.#unsettled = this.#count
    this.#onEnd = onEnd
  }

  /** The state calls this before it changes or deletes a record. */
  keep(ref: number): void {
    const own = this.#state.slabs.memoryOf(ref)
    const at = offsetOfRef(ref)
    if (!this.#settle(own, at)) return
    this.#kept ??= new Memory(new Uint8Array(this.#pieceBytes + entryBytesMax))
    const length = entryBytesIn(own, at)
    copyRange(this.#kept, this.#keptBytes, own, at + entryOffset, length)
    this.#keptBytes += length
    if (this.#keptBytes < this.#pieceBytes) return
    this.#keptPieces.push(this.#kept.bytes.slice(0, this.#keptBytes))
    this.#keptBytes = 0
  }

  /** Answers false when the snapshot needed nothing more from the record. */
  #settle(own: Memory, at: number): boolean {
    if (markAt(own, at) === this.#number) return false
    setMark(own, at, this.#number)
    this.#unsettled--
    return true
  }

  next(): IteratorResult<Uint8Array, undefined> {
    if (this.#hasEnded || (this.#hasBegun && this.#isExhausted)) return this.return()
    const value = this.#keptPieces.length > 0 ? this.#nextKept() : this.#nextVisited()
    this.#hasBegun = true
    return { done: false, value }
  }

  get #isExhausted(): boolean {
    return this.#unsettled === 0 && this.#keptBytes === 0 && this.#keptPieces.length === 0
  }

  return(): IteratorResult<Uint8Array, undefined> {
    if (!this.#hasEnded) this.#onEnd()
    this.#hasEnded = true
    this.#keptPieces = []
    this.#kept = undefined
    return { done: true, value: undefined }
  }

  #nextKept(): Uint8Array {
    const kept = this.#keptPieces.pop()!
    if (this.#hasBegun) return kept
    const piece = this.#begin(kept.byteLength)
    piece.set(kept, headerBytes)
    return piece
  }

  /** A piece with room for this many bytes of entries. The first piece begins with the header. */
  #begin(length: number): Uint8Array {
    if (this.#hasBegun) return new Uint8Array(length)
    const piece = new Uint8Array(headerBytes + length)
    writeHeader(piece, this.#revision, this.#count)
    return piece
  }

  #nextVisited(): Uint8Array {
    const { slabs } = this.#state
    const refs: number[] = []
    let length = this.#keptBytes
    const visit = (ref: number): boolean => {
      const own = slabs.memoryOf(ref)
      const at = offsetOfRef(ref)
      if (!this.#settle(own, at)) return true
      refs.push(ref)
      length += entryBytesIn(own, at)
      // Behind the last entry of the snapshot many newer records may follow.
      return length < this.#pieceBytes && this.#unsettled > 0
    }
    if (this.#unsettled > 0) this.#state.visit(this.#cursor, 0, this.#cursor.bytes.length, visit)
    assert(length > 0 || this.#count === 0, 'each entry is visited or kept')
    const piece = this.#begin(length)
    let offset = piece.byteLength - length
    const into = new Memory(piece)
    if (this.#kept !== undefined) copyRange(into, offset, this.#kept, 0, this.#keptBytes)
    offset += this.#keptBytes
    this.#keptBytes = 0
    for (const ref of refs) offset = copyEntry(into, offset, this.#state, ref)
    this.#moveCursor(refs.at(-1))
    return piece
  }

  #moveCursor(last: number | undefined): void {
    if (last === undefined) return
    const own = this.#state.slabs.memoryOf(last)
    const key = offsetOfRef(last) + keyOffset
    const length = keyLengthAt(own, offsetOfRef(last))
    this.#cursor = new Memory(new Uint8Array(length))
    copyRange(this.#cursor, 0, own, key, length)
  }
}

/** Returns the offset behind the entry. */
function copyEntry(into: Memory, offset: number, state: KvState, ref: number): number {
  const own = state.slabs.memoryOf(ref)
  const at = offsetOfRef(ref)
  const length = entryBytesIn(own, at)
  copyRange(into, offset, own, at + entryOffset, length)
  return offset + length
}

function writeHeader(bytes: Uint8Array, revision: number, count: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes)
  view.setUint32(0, format, true)
  setUint64(view, 4, revision)
  setUint64(view, 12, count)
}

/**
 * Makes a state from the pieces of a snapshot, wherever they are cut. Throws when the pieces are not a whole snapshot.
 */
export function readSnapshot(pieces: Iterable<Uint8Array>): KvState {
  const state = new KvState()
  let count: number | undefined
  let revision = 0
  let pending = new Memory(new Uint8Array(0))
  let length = 0
  for (const piece of pieces) {
    if (length + piece.byteLength > pending.bytes.byteLength)
      pending = grown(pending, length, piece.byteLength)
    pending.bytes.set(piece, length)
    length += piece.byteLength
    let offset = 0
    if (count === undefined) {
      if (length < headerBytes) continue
      ;({ revision, count } = readHeader(pending.bytes))
      offset = headerBytes
    }
    offset = readEntries(pending, offset, length, state, revision)
    pending.bytes.copyWithin(0, offset, length)
    length -= offset
  }
  check(
    count !== undefined && length === 0,
    `it ends within ${count === undefined ? 'its header' : 'an entry'}`,
  )
  check(state.count === count, `it has ${state.count} entries, and its header says ${count}`)
  state.revision = revision
  return state
}

function grown(pending: Memory, length: number, more: number): Memory {
  const bytes = new Uint8Array(Math.max(length + more, 2 * pending.bytes.byteLength))
  bytes.set(pending.bytes.subarray(0, length))
  return new Memory(bytes)
}

function readHeader(bytes: Uint8Array): { revision: number; count: number } {
  check(readUint32(bytes, 0) === format, 'its first bytes are not those of one')
  const revision = readUint64(bytes, 4)
  const count = readUint64(bytes, 12)
  check(Number.isSafeInteger(revision) && count <= revision, 'its revision is below its count of keys')
  return { revision, count }
}

/** Takes over all entries that are whole, and returns the offset behind them. */
function readEntries(memory: Memory, from: number, end: number, state: KvState, revision: number): number {
  let offset = from
  for (;;) {
    const length = entryBytesAt(memory.bytes, offset, end)
    if (length === undefined || offset + length > end) return offset
    const { createRevision, modRevision, version } = readHead(memory.bytes, offset)
    check(createRevision >= 1 && version >= 1, 'a key was never written')
    check(createRevision + version - 1 <= modRevision, 'a key has more versions than revisions')
    check(modRevision <= revision, 'a key is newer than the whole')
    check(state.addEntry(memory, offset, length), 'a key occurs twice')
    offset += length
  }
}

function check(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(`snapshot of the KV: ${otherwise}`)
}

const fromTheBeginning = new Memory(new Uint8Array(0))

/**
 * SHA-256 over the entries in the order of their keys. Equal states have equal hashes, whatever commands led to them.
 */
export function hashState(state: KvState): string {
  const hash = createHash('sha256')
  const block = new Memory(Buffer.allocUnsafe(pieceBytesUsual + entryBytesMax))
  writeHeader(block.bytes, state.revision, state.count)
  let length = headerBytes
  state.visit(fromTheBeginning, 0, 0, (ref) => {
    length = copyEntry(block, length, state, ref)
    if (length < pieceBytesUsual) return true
    hash.update(block.bytes.subarray(0, length))
    length = 0
    return true
  })
  return hash.update(block.bytes.subarray(0, length)).digest('hex')
}
