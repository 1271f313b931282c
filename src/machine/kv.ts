/**
 * The built-in state machine: keys and values of bytes, every key with the revisions that made and last
 * changed it. Commands and queries are those of `commands.ts`, answers those of `answers.ts`.
 */
import { assert, forEachCommand } from '../raft/index.js'
import {
  answerHeaderBytes,
  foundAnswer,
  rangeAnswer,
  rangeEntryBytes,
  recordBytes,
  type Status,
  statusAnswer,
  statuses,
  writeHeader,
  writeRecord,
} from './answers.js'
import {
  commandOps,
  commandPrefixBytes,
  keyBytesMax,
  queryOps,
  rangeBoundBytesMax,
  rangeBytesMax,
  rangePrefixBytes,
  valueBytesMax,
} from './commands.js'
import { KvEntry } from './kv-entry.js'
import { emptyState, hashState, readSnapshot, SnapshotReader } from './kv-state.js'
import type { CommandRun, ResultWriter, StateMachine } from './machine.js'
import { bufferOf, readUint16, readUint32 } from './packed.js'

export function createKv(): StateMachine {
  return new Kv()
}

class Kv implements StateMachine {
  #state = emptyState()
  /** The snapshot that is being pulled. */
  #snapshot: SnapshotReader | undefined
  /** How many snapshots were begun: their numbers start with 1. */
  #snapshotCount = 0
  /** The run that is being applied, and where its results go. */
  #source: Buffer = Buffer.alloc(0)
  #results: ResultWriter | undefined

  apply(run: CommandRun, results: ResultWriter | undefined): void {
    this.#source = bufferOf(run.bytes)
    this.#results = results
    forEachCommand(run, this.#applyCommand)
  }

  /** A field, so that no closure is made for a run. */
  readonly #applyCommand = (start: number, end: number): void => {
    const source = this.#source
    const keyStart = start + commandPrefixBytes
    if (keyStart > end) return this.#answer(statuses.malformed)
    const keyEnd = keyStart + readUint16(source, start + 1)
    if (keyEnd === keyStart || keyEnd - keyStart > keyBytesMax || keyEnd > end)
      return this.#answer(statuses.malformed)
    const key = source.toString('latin1', keyStart, keyEnd)
    switch (source[start]) {
      case commandOps.put:
        return this.#put(key, keyEnd, end)
      case commandOps.append:
        return this.#append(key, keyEnd, end)
      case commandOps.delete:
        return keyEnd === end ? this.#delete(key) : this.#answer(statuses.malformed)
      case commandOps.cas:
        return this.#cas(key, keyEnd, end)
      case commandOps.casAbsent:
        return this.#casAbsent(key, keyEnd, end)
      default:
        return this.#answer(statuses.malformed)
    }
  }

  #put(key: string, start: number, end: number): void {
    if (end - start > valueBytesMax) return this.#answer(statuses.malformed)
    this.#write(key, this.#state.entries.get(key), this.#source.toString('latin1', start, end))
  }

  #append(key: string, start: number, end: number): void {
    if (end - start > valueBytesMax) return this.#answer(statuses.malformed)
    const entry = this.#state.entries.get(key)
    const present = entry === undefined ? '' : entry.value
    if (present.length + end - start > valueBytesMax) return this.#answer(statuses.tooLarge)
    this.#write(key, entry, present + this.#source.toString('latin1', start, end))
  }

  #delete(key: string): void {
    const entry = this.#state.entries.get(key)
    if (entry === undefined) return this.#answer(statuses.notFound)
    this.#snapshot?.keep(entry)
    this.#state.entries.delete(key)
    this.#state.sorted.delete(key)
    this.#state.revision++
    this.#answer(statuses.applied)
  }

  #cas(key: string, start: number, end: number): void {
    const expectedStart = start + 4
    if (expectedStart > end) return this.#answer(statuses.malformed)
    const expectedLength = readUint32(this.#source, start)
    const valueStart = expectedStart + expectedLength
    if (expectedLength > valueBytesMax || valueStart > end || end - valueStart > valueBytesMax) {
      return this.#answer(statuses.malformed)
    }
    const entry = this.#state.entries.get(key)
    if (entry?.value !== this.#source.toString('latin1', expectedStart, valueStart))
      return this.#answerMismatch(entry)
    this.#write(key, entry, this.#source.toString('latin1', valueStart, end))
  }

  #casAbsent(key: string, start: number, end: number): void {
    if (end - start > valueBytesMax) return this.#answer(statuses.malformed)
    const entry = this.#state.entries.get(key)
    if (entry !== undefined) return this.#answerMismatch(entry)
    this.#write(key, undefined, this.#source.toString('latin1', start, end))
  }

  /** The one way by which a value changes. */
  #write(key: string, entry: KvEntry | undefined, value: string): void {
    const revision = ++this.#state.revision
    if (entry === undefined) {
      const stored = { key, value, createRevision: revision, modRevision: revision, version: 1 }
      // A snapshot under way is of an earlier moment: it has nothing to take from this entry.
      const created = new KvEntry(stored, this.#snapshotCount)
      this.#state.entries.set(key, created)
      this.#state.sorted.add(created)
    } else {
      this.#snapshot?.keep(entry)
      entry.value = value
      entry.modRevision = revision
      entry.version++
    }
    this.#answer(statuses.applied)
  }

  #answer(status: Status): void {
    if (this.#results === undefined) return
    const offset = this.#results.reserve(answerHeaderBytes)
    writeHeader(this.#results.bytes, offset, status, this.#state.revision)
  }

  #answerMismatch(entry: KvEntry | undefined): void {
    if (entry === undefined) return this.#answer(statuses.mismatch)
    if (this.#results === undefined) return
    const offset = this.#results.reserve(answerHeaderBytes + recordBytes(entry))
    writeHeader(this.#results.bytes, offset, statuses.mismatch, this.#state.revision)
    writeRecord(this.#results.bytes, offset + answerHeaderBytes, entry)
  }

  read(query: Uint8Array, results: ResultWriter): void {
    results.append(this.#answerTo(query))
  }

  #answerTo(query: Uint8Array): Uint8Array {
    if (query[0] === queryOps.get) return this.#get(query)
    if (query[0] === queryOps.range) return this.#range(query)
    return statusAnswer(statuses.malformed, this.#state.revision)
  }

  #get(query: Uint8Array): Uint8Array {
    const { entries, revision } = this.#state
    if (query.byteLength < 2 || query.byteLength - 1 > keyBytesMax)
      return statusAnswer(statuses.malformed, revision)
    const entry = entries.get(bufferOf(query).toString('latin1', 1))
    return entry === undefined ? statusAnswer(statuses.notFound, revision) : foundAnswer(revision, entry)
  }

  #range(query: Uint8Array): Uint8Array {
    const { sorted, revision } = this.#state
    if (query.byteLength < rangePrefixBytes) return statusAnswer(statuses.malformed, revision)
    const limit = readUint32(query, 1)
    const startLength = readUint16(query, 5)
    const endLength = query.byteLength - rangePrefixBytes - startLength
    if (limit === 0 || startLength > rangeBoundBytesMax || endLength < 0 || endLength > rangeBoundBytesMax) {
      return statusAnswer(statuses.malformed, revision)
    }
    const start = bufferOf(query).toString('latin1', rangePrefixBytes, rangePrefixBytes + startLength)
    const end = bufferOf(query).toString('latin1', rangePrefixBytes + startLength)
    const found: KvEntry[] = []
    let length = 0
    let hasMore = false
    sorted.visit(start, end, (entry) => {
      length += rangeEntryBytes(entry)
      hasMore = found.length === limit || (found.length > 0 && length > rangeBytesMax)
      if (!hasMore) found.push(entry)
      return !hasMore
    })
    return rangeAnswer(revision, found, hasMore)
  }

  snapshot(): Iterator<Uint8Array> {
    assert(this.#snapshot === undefined, 'one snapshot is taken at a time')
    const reader = new SnapshotReader(this.#state, ++this.#snapshotCount, () => {
      if (this.#snapshot === reader) this.#snapshot = undefined
    })
    this.#snapshot = reader
    return reader
  }

  restore(pieces: Iterable<Uint8Array>): void {
    this.#state = readSnapshot(pieces)
    // A snapshot under way goes on with the state it was taken of, which nobody changes any more.
    this.#snapshot = undefined
  }

  hash(): string {
    return hashState(this.#state)
  }
}
