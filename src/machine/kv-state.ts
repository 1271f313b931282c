/** The built-in KV's state as a value: what a snapshot makes of it, and what makes it from a snapshot. */

import { createHash } from 'node:crypto'
import sortedBtree from 'sorted-btree'
import { assert } from '../raft/index.js'
import { entryBytes, entryBytesAt, type KvEntry, readEntry, writeEntry } from './kv-entry.js'
import { readUint32, readUint64, writeUint32, writeUint64 } from './packed.js'

// A CommonJS package: Node hands over what it exports as a whole, bundlers and test runners the class in it.
const treeClass =
  'default' in sortedBtree ? sortedBtree.default : (sortedBtree as typeof import('sorted-btree').default)

/** Above every key: no byte is that large. */
const aboveAll = '\u0100'

/** Adding to a million keys takes two microseconds: only new and deleted keys come here. */
export class SortedEntries {
  readonly #tree = new treeClass<string, KvEntry>(undefined, compareKeys)

  add(entry: KvEntry): void {
    this.#tree.set(entry.key, entry)
  }

  delete(key: string): void {
    this.#tree.delete(key)
  }

  /** Visits entries in the order of their keys' bytes, until `visit` answers false. An empty `end` is none. */
  visit(start: string, end: string, visit: (entry: KvEntry) => boolean): void {
    this.#tree.forRange(start, end === '' ? aboveAll : end, false, (_, entry) =>
      visit(entry) ? undefined : { break: true },
    )
  }
}

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export interface KvState {
  readonly entries: Map<string, KvEntry>
  readonly sorted: SortedEntries
  /** Counts the successful writes. */
  revision: number
}

export function emptyState(): KvState {
  return { entries: new Map(), sorted: new SortedEntries(), revision: 0 }
}

/** u32 format · u64 revision · u64 count of entries */
const headerBytes = 20
/** Raised when the layout changes: nodes of two versions must not take each other's snapshots for garbage. */
const format = 0x31_56_4b_52

/** A piece is cut after the entry that fills it. */
const pieceBytes = 128 * 1024

/**
 * A snapshot of the state at the moment of its making, pulled while later commands are applied. Entries are
 * visited in the order of their keys. Whoever changes an entry shows it to `keep` before, and what was not
 * visited yet is copied; entries that are new since then carry the snapshot's number, and are passed over.
 */
export class SnapshotReader implements Iterator<Uint8Array> {
  readonly #number: number
  readonly #sorted: SortedEntries
  readonly #revision: number
  readonly #count: number
  readonly #onEnd: () => void
  /** Entries as they were, changed since and not yet visited. The next piece begins with them. */
  #kept: KvEntry[] = []
  /** Where the next visit begins. */
  #cursor = ''
  #remaining: number
  #hasBegun = false
  #hasEnded = false

  constructor(state: KvState, number: number, onEnd: () => void) {
    this.#number = number
    this.#sorted = state.sorted
    this.#revision = state.revision
    this.#count = state.entries.size
    this.#remaining = this.#count
    this.#onEnd = onEnd
  }

  /** To be called before an entry is changed or deleted. */
  keep(entry: KvEntry): void {
    if (entry.settledIn === this.#number) return
    entry.settledIn = this.#number
    this.#kept.push({ ...entry })
  }

  next(): IteratorResult<Uint8Array, undefined> {
    if (this.#hasEnded || (this.#hasBegun && this.#remaining === 0)) return this.return()
    const entries = this.#gather()
    this.#remaining -= entries.length
    const length = entries.reduce((sum, entry) => sum + entryBytes(entry), this.#hasBegun ? 0 : headerBytes)
    const piece = new Uint8Array(length)
    let offset = this.#hasBegun ? 0 : writeHeader(piece, this.#revision, this.#count)
    for (const entry of entries) offset = writeEntry(piece, offset, entry)
    this.#hasBegun = true
    return { done: false, value: piece }
  }

  return(): IteratorResult<Uint8Array, undefined> {
    if (!this.#hasEnded) this.#onEnd()
    this.#hasEnded = true
    this.#kept = []
    return { done: true, value: undefined }
  }

  /** The entries of one piece: from those kept, then from those not visited yet. */
  #gather(): KvEntry[] {
    const entries: KvEntry[] = []
    let length = 0
    const take = (entry: KvEntry): boolean => {
      entries.push(entry)
      length += entryBytes(entry)
      return length < pieceBytes
    }
    for (let entry = this.#kept.pop(); entry !== undefined; entry = this.#kept.pop()) {
      if (!take(entry)) return entries
    }
    this.#sorted.visit(this.#cursor, '', (entry) => {
      // The smallest key above this one.
      this.#cursor = `${entry.key}\0`
      if (entry.settledIn === this.#number) return true
      entry.settledIn = this.#number
      return take(entry)
    })
    assert(entries.length > 0 || this.#remaining === 0, 'each entry is visited or kept')
    return entries
  }
}

function writeHeader(bytes: Uint8Array, revision: number, count: number): number {
  writeUint32(bytes, 0, format)
  writeUint64(bytes, 4, revision)
  writeUint64(bytes, 12, count)
  return headerBytes
}

/** Makes a state from the pieces of a snapshot, wherever they were cut. Throws when they are not a whole one. */
export function readSnapshot(pieces: Iterable<Uint8Array>): KvState {
  const state = emptyState()
  let count: number | undefined
  let pending = new Uint8Array(0)
  let length = 0
  for (const piece of pieces) {
    if (length + piece.byteLength > pending.byteLength) pending = grown(pending, length, piece.byteLength)
    pending.set(piece, length)
    length += piece.byteLength
    let offset = 0
    if (count === undefined) {
      if (length < headerBytes) continue
      count = readHeader(pending, state)
      offset = headerBytes
    }
    offset = readEntries(pending, offset, length, state)
    pending.copyWithin(0, offset, length)
    length -= offset
  }
  check(
    count !== undefined && length === 0,
    `it ends within ${count === undefined ? 'its header' : 'an entry'}`,
  )
  check(state.entries.size === count, `it has ${state.entries.size} entries, and its header says ${count}`)
  return state
}

function grown(pending: Uint8Array, length: number, more: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.max(length + more, 2 * pending.byteLength))
  bytes.set(pending.subarray(0, length))
  return bytes
}

function readHeader(bytes: Uint8Array, state: KvState): number {
  check(readUint32(bytes, 0) === format, 'its first bytes are not those of one')
  state.revision = readUint64(bytes, 4)
  const count = readUint64(bytes, 12)
  check(
    Number.isSafeInteger(state.revision) && count <= state.revision,
    'its revision is below its count of keys',
  )
  return count
}

/** Takes over all entries that are whole, and returns the offset behind them. */
function readEntries(bytes: Uint8Array, from: number, end: number, state: KvState): number {
  let offset = from
  for (;;) {
    const length = entryBytesAt(bytes, offset, end)
    if (length === undefined || offset + length > end) return offset
    const entry = readEntry(bytes, offset, length)
    const { createRevision, modRevision, version } = entry
    check(createRevision >= 1 && version >= 1, 'a key was never written')
    check(createRevision + version - 1 <= modRevision, 'a key has more versions than revisions')
    check(modRevision <= state.revision, 'a key is newer than the whole')
    check(!state.entries.has(entry.key), 'a key occurs twice')
    state.entries.set(entry.key, entry)
    state.sorted.add(entry)
    offset += length
  }
}

function check(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(`snapshot of the KV: ${otherwise}`)
}

/** SHA-256 over the entries in the order of their keys: the same for equal states, whatever led to them. */
export function hashState(state: KvState): string {
  const hash = createHash('sha256')
  let block = Buffer.allocUnsafe(pieceBytes)
  let length = writeHeader(block, state.revision, state.entries.size)
  state.sorted.visit('', '', (entry) => {
    const needed = entryBytes(entry)
    if (length + needed > block.length) {
      hash.update(block.subarray(0, length))
      length = 0
      if (needed > block.length) block = Buffer.allocUnsafe(needed)
    }
    length = writeEntry(block, length, entry)
    return true
  })
  return hash.update(block.subarray(0, length)).digest('hex')
}
