/**
 * The store of a node that is not durable: the log in memory is the protocol's own, so that nothing is written.
 * Only snapshots are kept, for followers that need one. Whoever opens it begins with an empty log.
 */
import {
  assert,
  type EntryId,
  type LogIndex,
  logOrigin,
  type Membership,
  type Persist,
  type Snapshot,
} from '../raft/index.js'
import type { OpenStore } from './record-store.js'
import type { Writer } from './shelf.js'
import type { Compaction, Defer, Flushed, LogStore } from './store.js'

/** A snapshot in the pieces in which it came. */
interface Pieces extends EntryId {
  readonly list: Uint8Array[]
  /** Bytes in all pieces. */
  size: number
}

export function openVolatileStore(membership: Membership, defer: Defer): OpenStore {
  const hardState = { currentTerm: 0, votedFor: undefined }
  const recovered = {
    hardState,
    membership,
    snapshot: undefined,
    base: logOrigin,
    entries: [],
    votesFromTerm: 0,
  }
  return { store: new VolatileStore(defer), recovered }
}

class VolatileStore implements LogStore {
  readonly #defer: Defer
  readonly #writing = new Map<Writer, Pieces>()
  /** The newest one, and older ones that are retained. */
  readonly #whole = new Map<LogIndex, Pieces>()
  #newestIndex: LogIndex = logOrigin.index
  #retained: ReadonlySet<LogIndex> = new Set()

  constructor(defer: Defer) {
    this.#defer = defer
  }

  write({ snapshotChunks, install }: Persist, flushed: Flushed): void {
    for (const { snapshot, offset, data } of snapshotChunks) this.#add('received', snapshot, offset, data)
    if (install !== undefined) this.#finish('received', install)
    flushed(undefined)
  }

  writeSnapshotChunk(snapshot: EntryId, offset: number, data: Uint8Array, flushed: Flushed): void {
    this.#add('own', snapshot, offset, data)
    this.#defer(() => flushed(undefined))
  }

  compact({ snapshot }: Compaction, flushed: Flushed): void {
    this.#finish('own', snapshot)
    this.#defer(() => flushed(undefined))
  }

  readEntries(): never {
    throw new Error('the entries of a node that is not durable stay in its memory')
  }

  readSnapshot(index: LogIndex, offset: number, length: number): Uint8Array | undefined {
    const whole = this.#whole.get(index)
    if (whole === undefined) return undefined
    const bytes = new Uint8Array(Math.max(0, Math.min(length, whole.size - offset)))
    let pieceOffset = 0
    for (const piece of whole.list) {
      const from = Math.max(0, offset - pieceOffset)
      const filled = pieceOffset + from - offset
      if (filled >= bytes.byteLength) break
      bytes.set(piece.subarray(from, from + bytes.byteLength - filled), filled)
      pieceOffset += piece.byteLength
    }
    return bytes
  }

  retainSnapshots(indexes: ReadonlySet<LogIndex>): void {
    this.#retained = new Set(indexes)
    for (const index of this.#whole.keys()) {
      if (index !== this.#newestIndex && !this.#retained.has(index)) this.#whole.delete(index)
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#defer(resolve))
  }

  #add(writer: Writer, { index, term }: EntryId, offset: number, data: Uint8Array): void {
    if (offset === 0) this.#writing.set(writer, { index, term, list: [], size: 0 })
    const pieces = this.#writing.get(writer)
    assert(pieces?.index === index && pieces.term === term, 'a snapshot is begun before it is continued')
    assert(pieces.size === offset, 'the chunks of a snapshot follow each other')
    // The giver may use the bytes again once they count as written. A slice of a `Buffer` would share its memory.
    pieces.list.push(new Uint8Array(data))
    pieces.size += data.byteLength
  }

  #finish(writer: Writer, { index, term, size }: Snapshot): void {
    const pieces = this.#writing.get(writer)
    const isWhole = pieces?.index === index && pieces.term === term && pieces.size === size
    assert(isWhole, 'a snapshot is whole before it counts')
    assert(index > this.#newestIndex, 'a newer snapshot replaces an older one')
    this.#writing.delete(writer)
    this.#whole.set(index, pieces)
    this.#newestIndex = index
    this.retainSnapshots(this.#retained)
  }
}
