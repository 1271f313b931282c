/** What would be found on a disk after a power loss at this very moment, read without the store that wrote it. */
import type { Durable } from '../proof/index.js'
import { countOfLeading, type HardState, hardStateOf, type LogIndex, type Term } from '../raft/index.js'
import {
  indexOfLogKey,
  logKey,
  type MemoryDisk,
  noteKeys,
  openNote,
  type Pointers,
} from '../storage/index.js'

const logKeyLength = logKey(0).byteLength
/** First byte of every key of the log. */
const logKind = logKey(0)[0]
/** Where a record says its term and its count of entries. */
const termOffset = 16
const countOffset = 24

/** A note, parsed anew only when its bytes are others. */
class Note<T> {
  readonly #name: 'hardState' | 'pointers'
  readonly #key: string
  readonly #parse: (content: unknown) => T
  #bytes: Uint8Array | undefined
  #content: T | undefined

  constructor(name: 'hardState' | 'pointers', parse: (content: unknown) => T) {
    this.#name = name
    this.#key = nameOf(noteKeys[name])
    this.#parse = parse
  }

  read(disk: MemoryDisk): T | undefined {
    const bytes = disk.rows.get(this.#key)
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#content = bytes === undefined ? undefined : this.#parse(openNote(this.#name, bytes))
    }
    return this.#content
  }
}

export class DurableView implements Durable {
  readonly #disk: MemoryDisk
  readonly #hardState = new Note('hardState', (content) => hardStateOf(content as HardState))
  readonly #pointers = new Note('pointers', (content) => content as Pointers)
  /** Where records may begin, ascending. A hint: each is looked up before it is believed. */
  #starts: LogIndex[] = []
  /** The record that was looked up last, and its name on the disk: mostly the next look is at the same record. */
  #latestStart: LogIndex | undefined
  #latestName = ''

  constructor(disk: MemoryDisk) {
    this.#disk = disk
  }

  get hardState(): HardState | undefined {
    return this.#hardState.read(this.#disk)
  }

  get snapshotIndex(): LogIndex {
    return this.#pointers.read(this.#disk)?.snapshot?.index ?? 0
  }

  /** The index up to which the log on the disk is cut. */
  get baseIndex(): LogIndex {
    return this.#pointers.read(this.#disk)?.base.index ?? 0
  }

  /** A record that begins at `start` was given to the store. */
  expect(start: LogIndex): void {
    while ((this.#starts.at(-1) ?? 0) >= start) this.#starts.pop()
    this.#starts.push(start)
  }

  holds(entry: { readonly index: LogIndex; readonly term: Term }): boolean {
    const pointers = this.#pointers.read(this.#disk)
    if (pointers === undefined) return false
    if (entry.index <= pointers.base.index) return true
    return entry.index <= pointers.last.index && this.#termAt(entry.index) === entry.term
  }

  /** How many records of the log on the disk hold entries after `index`; of the first entry on when `index` is 0. */
  recordsAfter(index: LogIndex): number {
    const starts = this.#startsOnDisk()
    const before = countOfLeading(starts.length, (at) => (starts[at] ?? 0) <= index + 1) - 1
    return starts.length - Math.max(0, before)
  }

  #termAt(index: LogIndex): Term | undefined {
    const hinted = this.#termIn(this.#startBefore(index), index)
    if (hinted !== undefined) return hinted
    this.#starts = this.#startsOnDisk()
    return this.#termIn(this.#startBefore(index), index)
  }

  /** Where the records of the log begin, also those that wait to be removed. */
  #startsOnDisk(): LogIndex[] {
    const names = [...this.#disk.rows.keys()].filter((name) => name.length === logKeyLength)
    const keys = names.map((name) => Uint8Array.from(name, (character) => character.charCodeAt(0)))
    const starts = keys.filter((key) => key[0] === logKind).map(indexOfLogKey)
    return starts.sort((a, b) => a - b)
  }

  /** The term that the record under `start` gives to the entry; `undefined` when it does not hold it. */
  #termIn(start: LogIndex | undefined, index: LogIndex): Term | undefined {
    if (start === undefined) return undefined
    if (start !== this.#latestStart) {
      this.#latestStart = start
      this.#latestName = nameOf(logKey(start))
    }
    const record = this.#disk.rows.get(this.#latestName)
    if (record === undefined) return undefined
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
    if (index >= start + view.getUint32(countOffset, true)) return undefined
    return view.getFloat64(termOffset, true)
  }

  #startBefore(index: LogIndex): LogIndex | undefined {
    return this.#starts[countOfLeading(this.#starts.length, (at) => (this.#starts[at] ?? 0) <= index) - 1]
  }
}

function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key)
}
