/**
 * The built-in state machine: keys and values of bytes, every key with the revisions that made and last
 * changed it. Commands and queries are those of `commands.ts`, answers those of `answers.ts`.
 */
import { assert, commandHeaderBytes, type Frame, runHeaderBytes } from '../raft/index.js'
import {
  answerHeaderBytes,
  rangeEntryBytes,
  rangeHeaderBytes,
  type Status,
  statuses,
  writeHeader,
  writeRangeEntry,
  writeRangeHeader,
  writeRecord,
} from './answers.js'
import {
  commandOps,
  commandPrefixBytes,
  keyBytesMax,
  queryOps,
  queryPrefixBytes,
  rangeBoundBytesMax,
  rangeBytesMax,
  rangePrefixBytes,
  valueBytesMax,
} from './commands.js'
import { keyLengthAt, keyOffset, revisionsBytes, valueLengthAt } from './kv-entry.js'
import { fetchedMax, hashKey } from './kv-index.js'
import { offsetOfRef } from './kv-slabs.js'
import { hashState, pieceBytesUsual, readSnapshot, SnapshotReader } from './kv-snapshot.js'
import { KvState } from './kv-state.js'
import type { CommandRun, ResultWriter, StateMachine } from './machine.js'
import { compareRanges, Memory } from './memory.js'

/** `pieceBytes`: about how many bytes the pieces of its snapshots have. */
export function createKv(pieceBytes = pieceBytesUsual): StateMachine {
  return new Kv(pieceBytes)
}

const nothing = new Memory(new Uint8Array(0))

class Kv implements StateMachine {
  #state = new KvState()
  /** Hashes of the keys of the next commands. */
  readonly #hashes = new Int32Array(fetchedMax)
  /** The snapshot that is being pulled. */
  #snapshot: SnapshotReader | undefined
  /** How many snapshots were begun: their numbers start with 1. */
  #snapshotCount = 0
  /** The run that is being applied, and the place of its results. */
  #source = nothing
  #results: ResultWriter | undefined
  /** The buffer that the last result was written to. The next result mostly goes to the same buffer. */
  #written = nothing
  readonly #pieceBytes: number

  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes
  }

  apply(run: CommandRun, results: ResultWriter | undefined): void {
    const source = new Memory(run.bytes)
    this.#source = source
    this.#results = results
    // The loop does the work of `forEachCommand` without the call of a closure for each command.
    let end = runHeaderBytes
    for (let remaining = run.count; remaining > 0; remaining -= fetchedMax) {
      const count = Math.min(remaining, fetchedMax)
      this.#lookAhead(end, count)
      for (let at = 0; at < count; at++) {
        const start = end + commandHeaderBytes
        end = start + source.view.getUint32(end, true)
        this.#applyCommand(this.#hashes[at]!, start, end)
      }
    }
    this.#source = nothing
    this.#results = undefined
  }

  /** Hashes the keys of the next `count` commands, whose first header is at `header`, and fetches their records. */
  #lookAhead(header: number, count: number): void {
    const { view } = this.#source
    let end = header
    for (let at = 0; at < count; at++) {
      const start = end + commandHeaderBytes
      end = start + view.getUint32(end, true)
      const key = start + commandPrefixBytes
      const length = key > end ? 0 : view.getUint16(start + 1, true)
      // A key that does not fit into its command is malformed, and its hash is never used.
      this.#hashes[at] = key + length > end ? 0 : hashKey(this.#source, key, length)
    }
    this.#state.fetch(this.#hashes, count)
  }

  #applyCommand(hash: number, start: number, end: number): void {
    const { view } = this.#source
    const key = start + commandPrefixBytes
    if (key > end) return this.#answer(statuses.malformed)
    const length = view.getUint16(start + 1, true)
    const keyEnd = key + length
    if (length === 0 || length > keyBytesMax || keyEnd > end) return this.#answer(statuses.malformed)
    switch (view.getUint8(start)) {
      case commandOps.put:
        return this.#put(hash, key, keyEnd, end)
      case commandOps.append:
        return this.#append(hash, key, keyEnd, end)
      case commandOps.delete:
        return keyEnd === end ? this.#delete(hash, key, keyEnd) : this.#answer(statuses.malformed)
      case commandOps.cas:
        return this.#cas(hash, key, keyEnd, end)
      case commandOps.casAbsent:
        return this.#casAbsent(hash, key, keyEnd, end)
      default:
        return this.#answer(statuses.malformed)
    }
  }

  // All of these operations have their key from `key` on, and the rest of the command from `start` to `end`.

  #put(hash: number, key: number, start: number, end: number): void {
    if (end - start > valueBytesMax) return this.#answer(statuses.malformed)
    const ref = this.#state.find(hash, this.#source, key, start - key)
    if (ref === 0) this.#create(hash, key, start, start, end)
    else this.#overwrite(hash, ref, 0, start, end)
  }

  #append(hash: number, key: number, start: number, end: number): void {
    if (end - start > valueBytesMax) return this.#answer(statuses.malformed)
    const ref = this.#state.find(hash, this.#source, key, start - key)
    if (ref === 0) return this.#create(hash, key, start, start, end)
    const present = this.#state.valueLength(ref)
    if (present + end - start > valueBytesMax) return this.#answer(statuses.tooLarge)
    this.#overwrite(hash, ref, present, start, end)
  }

  #delete(hash: number, key: number, keyEnd: number): void {
    const ref = this.#state.find(hash, this.#source, key, keyEnd - key)
    if (ref === 0) return this.#answer(statuses.notFound)
    this.#snapshot?.keep(ref)
    this.#state.revision++
    this.#state.delete(hash, ref)
    this.#answer(statuses.applied)
  }

  #cas(hash: number, key: number, start: number, end: number): void {
    const expected = start + 4
    if (expected > end) return this.#answer(statuses.malformed)
    const expectedLength = this.#source.view.getUint32(start, true)
    const value = expected + expectedLength
    if (expectedLength > valueBytesMax || value > end || end - value > valueBytesMax) {
      return this.#answer(statuses.malformed)
    }
    const ref = this.#state.find(hash, this.#source, key, start - key)
    if (ref === 0 || !this.#state.hasValue(ref, this.#source, expected, expectedLength))
      return this.#answerMismatch(ref)
    this.#overwrite(hash, ref, 0, value, end)
  }

  #casAbsent(hash: number, key: number, start: number, end: number): void {
    if (end - start > valueBytesMax) return this.#answer(statuses.malformed)
    const ref = this.#state.find(hash, this.#source, key, start - key)
    if (ref !== 0) return this.#answerMismatch(ref)
    this.#create(hash, key, start, start, end)
  }

  #create(hash: number, key: number, keyEnd: number, value: number, end: number): void {
    this.#state.revision++
    // A snapshot under way is of an earlier moment, so it takes nothing from this new record.
    const mark = this.#snapshotCount
    const ref = this.#state.create(hash, this.#source, key, keyEnd - key, end - value, mark)
    this.#state.setValue(ref, 0, this.#source, value, end - value)
    this.#answer(statuses.applied)
  }

  /** The first `kept` bytes of the value stay, and those from `value` to `end` follow them. */
  #overwrite(hash: number, ref: number, kept: number, value: number, end: number): void {
    this.#snapshot?.keep(ref)
    this.#state.revision++
    const written = this.#state.rewrite(hash, ref, kept + end - value, kept)
    this.#state.setValue(written, kept, this.#source, value, end - value)
    this.#answer(statuses.applied)
  }

  #answer(status: Status): void {
    if (this.#results !== undefined) this.#answerTo(this.#results, status)
  }

  #answerTo(results: ResultWriter, status: Status): void {
    const offset = results.reserve(answerHeaderBytes)
    writeHeader(this.#memoryOf(results), offset, status, this.#state.revision)
  }

  #answerMismatch(ref: number): void {
    if (ref === 0) return this.#answer(statuses.mismatch)
    if (this.#results !== undefined) this.#answerRecord(this.#results, statuses.mismatch, ref)
  }

  #answerRecord(results: ResultWriter, status: Status, ref: number): void {
    const own = this.#state.slabs.memoryOf(ref)
    const at = offsetOfRef(ref)
    const valueLength = valueLengthAt(own, at)
    const offset = results.reserve(answerHeaderBytes + revisionsBytes + valueLength)
    const into = this.#memoryOf(results)
    writeHeader(into, offset, status, this.#state.revision)
    writeRecord(into, offset + answerHeaderBytes, own, at, valueLength)
  }

  read(queries: Frame, results: ResultWriter): void {
    const source = new Memory(queries.bytes)
    this.#source = source
    let end = runHeaderBytes
    for (let remaining = queries.count; remaining > 0; remaining -= fetchedMax) {
      const count = Math.min(remaining, fetchedMax)
      this.#lookAheadOfQueries(end, count)
      for (let at = 0; at < count; at++) {
        const start = end + commandHeaderBytes
        end = start + source.view.getUint32(end, true)
        this.#answerQuery(this.#hashes[at]!, start, end, results)
      }
    }
    this.#source = nothing
  }

  /** Does the same as `#lookAhead` for queries: a get is its operation and the key. */
  #lookAheadOfQueries(header: number, count: number): void {
    const { view } = this.#source
    let end = header
    for (let at = 0; at < count; at++) {
      const start = end + commandHeaderBytes
      end = start + view.getUint32(end, true)
      const key = start + queryPrefixBytes
      const isGet = key < end && view.getUint8(start) === queryOps.get
      this.#hashes[at] = isGet ? hashKey(this.#source, key, end - key) : 0
    }
    this.#state.fetch(this.#hashes, count)
  }

  #answerQuery(hash: number, start: number, end: number, results: ResultWriter): void {
    const op = start < end ? this.#source.view.getUint8(start) : 0
    if (op === queryOps.get) return this.#get(hash, start + queryPrefixBytes, end, results)
    if (op === queryOps.range) return this.#range(start, end, results)
    this.#answerTo(results, statuses.malformed)
  }

  #get(hash: number, key: number, end: number, results: ResultWriter): void {
    const length = end - key
    if (length < 1 || length > keyBytesMax) return this.#answerTo(results, statuses.malformed)
    const ref = this.#state.find(hash, this.#source, key, length)
    if (ref === 0) return this.#answerTo(results, statuses.notFound)
    this.#answerRecord(results, statuses.found, ref)
  }

  #range(query: number, queryEnd: number, results: ResultWriter): void {
    const source = this.#source
    const { view } = source
    const start = query + rangePrefixBytes
    if (start > queryEnd) return this.#answerTo(results, statuses.malformed)
    const limit = view.getUint32(query + 1, true)
    const startLength = view.getUint16(query + 5, true)
    const end = start + startLength
    const endLength = queryEnd - end
    if (limit === 0 || startLength > rangeBoundBytesMax || endLength < 0 || endLength > rangeBoundBytesMax) {
      return this.#answerTo(results, statuses.malformed)
    }
    const { slabs } = this.#state
    const found: number[] = []
    let length = 0
    let lengthNext = 0
    let hasMore = false
    this.#state.visit(source, start, startLength, (ref) => {
      const own = slabs.memoryOf(ref)
      const at = offsetOfRef(ref)
      const isBelowEnd =
        endLength === 0 ||
        compareRanges(own, at + keyOffset, keyLengthAt(own, at), source, end, endLength) < 0
      if (!isBelowEnd) return false
      lengthNext = length + rangeEntryBytes(own, at)
      hasMore = found.length === limit || (found.length > 0 && lengthNext > rangeBytesMax)
      if (hasMore) return false
      found.push(ref)
      length = lengthNext
      return true
    })
    this.#answerRange(results, found, length, hasMore)
  }

  #answerRange(results: ResultWriter, found: readonly number[], length: number, hasMore: boolean): void {
    const { slabs, revision } = this.#state
    let offset = results.reserve(rangeHeaderBytes + length)
    const into = this.#memoryOf(results)
    writeRangeHeader(into, offset, revision, found.length, hasMore)
    offset += rangeHeaderBytes
    for (const ref of found) offset = writeRangeEntry(into, offset, slabs.memoryOf(ref), offsetOfRef(ref))
  }

  #memoryOf(results: ResultWriter): Memory {
    if (this.#written.bytes !== results.bytes) this.#written = new Memory(results.bytes)
    return this.#written
  }

  snapshot(): Iterator<Uint8Array> {
    assert(this.#snapshot === undefined, 'one snapshot is taken at a time')
    const reader = new SnapshotReader(this.#state, ++this.#snapshotCount, this.#pieceBytes, () => {
      if (this.#snapshot === reader) this.#snapshot = undefined
    })
    this.#snapshot = reader
    return reader
  }

  restore(pieces: Iterable<Uint8Array>): void {
    this.#state = readSnapshot(pieces)
    // A snapshot under way goes on with the old state, which no command changes from here on.
    this.#snapshot = undefined
  }

  summary(): Readonly<Record<string, number>> {
    const { count, revision } = this.#state
    return { keys: count, revision }
  }

  hash(): string {
    return hashState(this.#state)
  }
}
