/**
 * The snapshots of one store: the newest whole one, older ones that are still being sent, and up to two that
 * are being written, one of our own state machine and one that a leader sends. What is dropped goes to the
 * sweep.
 */
import { assert, countOfLeading, type LogIndex, type Snapshot, type Term } from '../raft/index.js'
import { chunkKey } from './keys.js'
import type { StoredSnapshot } from './notes.js'
import { chunkHeaderBytes, DamageError, openChunk, sealChunk } from './record.js'
import type { Sweep } from './sweep.js'
import type { Change, Table } from './table.js'

/**
 * Data bytes in one row. A row of this size fills 16 pages of 4 KiB to the last byte, LMDB's own header
 * included: chunks of any size leave holes of one size, which the next ones fill.
 */
export const pieceBytesMax = 16 * 4096 - 24 - chunkHeaderBytes

/** A snapshot whose pieces are known. */
export interface Pieces {
  readonly index: LogIndex
  readonly term: Term
  readonly generation: number
  /** Where each piece begins, ascending from 0. */
  readonly offsets: number[]
  /** Bytes in all pieces. */
  size: number
}

export type Writer = 'own' | 'received'

export class Shelf {
  /** The newest whole snapshot. Moves once the transaction that makes it the newest is flushed. */
  #newest: Pieces | undefined
  /** Older whole snapshots that are retained, by index. */
  readonly #older = new Map<LogIndex, Pieces>()
  readonly #writing = new Map<Writer, Pieces>()
  #retained: ReadonlySet<LogIndex> = new Set()
  #nextGeneration: number
  readonly #sweep: Sweep

  constructor(newest: Pieces | undefined, nextGeneration: number, sweep: Sweep) {
    this.#newest = newest
    this.#nextGeneration = nextGeneration
    this.#sweep = sweep
  }

  /** Puts the next bytes of a snapshot down. An attempt of the same writer that was not finished is dropped. */
  write(
    writer: Writer,
    { index, term }: { readonly index: LogIndex; readonly term: Term },
    offset: number,
    data: Uint8Array,
  ): Change[] {
    if (offset === 0) this.#begin(writer, index, term)
    const pieces = this.#writing.get(writer)
    assert(pieces?.index === index && pieces.term === term, 'a snapshot is begun before it is continued')
    assert(pieces.size === offset, 'the chunks of a snapshot follow each other')
    const changes: Change[] = []
    for (let from = 0; from < data.byteLength; from += pieceBytesMax) {
      const piece = data.subarray(from, from + pieceBytesMax)
      const place = { index, term, generation: pieces.generation, offset: pieces.size }
      changes.push({ key: chunkKey(place.generation, place.offset), value: sealChunk(place, piece) })
      pieces.offsets.push(pieces.size)
      pieces.size += piece.byteLength
    }
    return changes
  }

  /** Takes the snapshot that a writer has finished; it is served once it is `publish`ed. */
  finish(writer: Writer, snapshot: Snapshot): { pieces: Pieces; stored: StoredSnapshot } {
    const pieces = this.#writing.get(writer)
    assert(
      pieces?.index === snapshot.index && pieces.term === snapshot.term && pieces.size === snapshot.size,
      'a snapshot is whole before it counts',
    )
    this.#writing.delete(writer)
    return { pieces, stored: { ...snapshot, generation: pieces.generation } }
  }

  /** The transaction that made it the newest is flushed: what it replaces goes, unless it is being sent. */
  publish(pieces: Pieces): void {
    const replaced = this.#newest
    this.#newest = pieces
    if (replaced !== undefined) this.#older.set(replaced.index, replaced)
    this.retain(this.#retained)
  }

  retain(indexes: ReadonlySet<LogIndex>): void {
    this.#retained = new Set(indexes)
    for (const [index, pieces] of this.#older) {
      if (this.#retained.has(index)) continue
      this.#older.delete(index)
      this.#drop(pieces)
    }
  }

  read(table: Table, index: LogIndex, offset: number, length: number): Uint8Array | undefined {
    const pieces = this.#newest?.index === index ? this.#newest : this.#older.get(index)
    if (pieces === undefined) return undefined
    const end = Math.min(pieces.size, offset + length)
    const bytes = new Uint8Array(Math.max(0, end - offset))
    let position = positionOf(pieces.offsets, offset)
    for (let filled = 0; filled < bytes.byteLength; position++) {
      const pieceOffset = pieces.offsets[position]
      assert(pieceOffset !== undefined, 'the pieces of a whole snapshot cover it')
      const record = table.get(chunkKey(pieces.generation, pieceOffset))
      const data = openChunk(record, { ...pieces, offset: pieceOffset })
      const from = offset + filled - pieceOffset
      const part = data.subarray(from, from + bytes.byteLength - filled)
      if (part.byteLength === 0)
        throw new DamageError(`the snapshot at entry ${index} ends before byte ${end}`)
      bytes.set(part, filled)
      filled += part.byteLength
    }
    return bytes
  }

  #begin(writer: Writer, index: LogIndex, term: Term): void {
    const abandoned = this.#writing.get(writer)
    if (abandoned !== undefined) this.#drop(abandoned)
    this.#writing.set(writer, { index, term, generation: this.#nextGeneration++, offsets: [], size: 0 })
  }

  #drop(pieces: Pieces): void {
    this.#sweep.addPieces(pieces.generation, pieces.offsets)
  }
}

/** Position of the last offset that is not after `offset`. */
function positionOf(offsets: readonly number[], offset: number): number {
  const last = countOfLeading(offsets.length, (at) => (offsets[at] ?? Number.POSITIVE_INFINITY) <= offset) - 1
  return Math.max(0, last)
}
