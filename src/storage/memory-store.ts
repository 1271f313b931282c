/**
 * The store of the simulator: the same records as on a real disk, in memory. The disk outlives the store
 * that writes to it, as a disk does, so that a crash leaves what was flushed and nothing more. It has no
 * clock: each flush ends when the caller says so.
 */
import { assert, type Membership } from '../raft/index.js'
import type { PledgePlace } from './pledge.js'
import { type OpenStore, openRecordStore } from './record-store.js'
import type { Defer } from './store.js'
import type { Change, Row, Table, Transaction } from './table.js'

/** How a disk in memory behaves as long as it is open. */
export interface MemoryDiskBehaviour {
  readonly defer: Defer
  /** The log's own writes are flushed as they are given, as on a disk that is worth waiting for. Default: not. */
  readonly isQuick?: boolean
  /** Called at each moment after which a power loss leaves something else. The power may go within the call. */
  readonly heard?: (moment: DiskMoment) => void
}

/** `given`: the disk was given a write, which is not flushed. `flushed`: it is, and nobody was told. */
export type DiskMoment = 'given' | 'flushed'

/** Every simulated node has a disk of its own, so that a node id tells nothing here. */
const nodeId = 1

/** A disk in memory. It survives a crash of the node; a store is opened on it again and again. */
export class MemoryDisk {
  /** The flushed rows by key, as they were written. */
  readonly rows = new Map<string, Uint8Array>()
  /** Rows that a store finds in another state than they were written; `undefined`: it finds none. A write mends its row. */
  readonly damagedRows = new Map<string, Uint8Array | undefined>()
  /** Of the first start: what is on the disk already knows better. */
  readonly membership: Membership
  #mounted: MemoryTable | undefined

  constructor(membership: Membership) {
    this.membership = membership
  }

  /** How many writes would be in doubt if the node crashed now. */
  get unflushedCount(): number {
    return this.#mounted?.pending.length ?? 0
  }

  /**
   * The node stops between two instructions. Of the writes that were not flushed the first `keep` survive, in
   * order and each whole; the others are gone. The store that was open never calls back again.
   */
  crash(keep: number): void {
    for (const { changes } of this.#mounted?.pending.slice(0, keep) ?? []) this.apply(changes)
    if (this.#mounted !== undefined) this.#mounted.pending.length = 0
    this.#mounted = undefined
  }

  /** Another disk that holds what is flushed on this one. */
  copy(): MemoryDisk {
    const disk = new MemoryDisk(this.membership)
    for (const [key, value] of this.rows) disk.rows.set(key, new Uint8Array(value))
    for (const [key, value] of this.damagedRows) disk.damagedRows.set(key, value && new Uint8Array(value))
    return disk
  }

  /** The row that a store finds under this key. */
  found(name: string): Uint8Array | undefined {
    return this.damagedRows.has(name) ? this.damagedRows.get(name) : this.rows.get(name)
  }

  /** Reads the disk as it was written. */
  asWritten<Read>(read: () => Read): Read {
    const damaged = [...this.damagedRows]
    this.damagedRows.clear()
    try {
      return read()
    } finally {
      for (const [name, value] of damaged) this.damagedRows.set(name, value)
    }
  }

  /** For `openMemoryStore`. */
  mount(behaviour: MemoryDiskBehaviour): Table {
    assert(this.unflushedCount === 0, 'a disk is opened again after its store was closed or has crashed')
    this.#mounted = new MemoryTable(this, behaviour)
    return this.#mounted
  }

  /** For the table that may be mounted: after a crash the old one is not. */
  isMounted(table: Table): boolean {
    return this.#mounted === table
  }

  /** For the table that is mounted. */
  apply(changes: readonly Change[]): void {
    for (const { key, value } of changes) {
      const name = nameOf(key)
      this.damagedRows.delete(name)
      if (value === undefined) this.rows.delete(name)
      else this.rows.set(name, value)
    }
  }
}

export function openMemoryStore(
  disk: MemoryDisk,
  behaviour: MemoryDiskBehaviour,
  place?: PledgePlace,
): OpenStore {
  return openRecordStore(disk.mount(behaviour), { nodeId, membership: disk.membership, place })
}

/** Keys as strings of one character a byte, which sort as the bytes do. */
function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key)
}

function keyOf(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0))
}

class MemoryTable implements Table {
  readonly sharesMemory = true
  /** Given, and not flushed. */
  readonly pending: Transaction[] = []
  readonly #disk: MemoryDisk
  readonly #defer: Defer
  readonly #isQuick: boolean
  readonly #heard: (moment: DiskMoment) => void
  #isClosed = false
  #onIdle: (() => void) | undefined

  constructor(disk: MemoryDisk, { defer, isQuick = false, heard = () => undefined }: MemoryDiskBehaviour) {
    this.#disk = disk
    this.#defer = defer
    this.#isQuick = isQuick
    this.#heard = heard
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.#disk.found(nameOf(key))
    return value && new Uint8Array(value)
  }

  *rows(from: Uint8Array, to: Uint8Array): Iterable<Row> {
    for (const name of this.#namesBetween(from, to)) {
      const value = this.#disk.found(name)
      if (value !== undefined) yield { key: keyOf(name), value: new Uint8Array(value) }
    }
  }

  keys(from: Uint8Array, to: Uint8Array): Iterable<Uint8Array> {
    return this.#namesBetween(from, to).map(keyOf)
  }

  commit(transaction: Transaction): void {
    if (!this.#disk.isMounted(this)) return
    if (this.#isClosed) {
      this.#defer(() => transaction.flushed(new Error('the store is closed')))
      return
    }
    this.pending.push(transaction)
    // Whichever flush ends first is the oldest one: a disk with one queue.
    this.#defer(() => this.#flushOldest())
    this.#heard('given')
  }

  commitSoon(transaction: Transaction): void {
    const isFree = this.pending.length === 0 && !this.#isClosed && this.#disk.isMounted(this)
    if (!this.#isQuick || !isFree) return this.commit(transaction)
    this.pending.push(transaction)
    this.#heard('given')
    this.#flushOldest()
  }

  commitNow(changes: readonly Change[]): void {
    this.#disk.apply(changes)
    this.#heard('flushed')
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.pending.length > 0) {
      await new Promise<void>((done) => {
        this.#onIdle = done
      })
    }
  }

  #flushOldest(): void {
    const oldest = this.pending.shift()
    if (oldest === undefined) return
    this.#disk.apply(oldest.changes)
    this.#heard('flushed')
    oldest.flushed(undefined)
    if (this.pending.length === 0) this.#onIdle?.()
  }

  #namesBetween(from: Uint8Array, to: Uint8Array): string[] {
    const [first, end] = [nameOf(from), nameOf(to)]
    const isFound = (name: string): boolean =>
      name >= first && name < end && this.#disk.found(name) !== undefined
    return [...this.#disk.rows.keys()].filter(isFound).sort()
  }
}
