/** What clients ask a cluster for: plain puts, batches of them, or the operations of a YCSB workload. */
import { type Bytes, type Cluster, encode, writePut } from '../cluster/index.js'
import { repeatedKeys } from './repeated-keys.js'
import type { OperationName, Tally } from './tally.js'
import type { Workload } from './workload.js'

/** Keys of plain puts, from key-0000 on. */
const keyCount = 10_000
/** A put in bytes: its operation and the length of its key, before key and value. */
const headBytes = 3
export const keyTemplate = 'key-0000'
const keyBytes = keyTemplate.length
/** Digits at the end of a key. */
const keyDigits = 4
const zero = '0'.charCodeAt(0)
/** The least and the most that one plain put may take. */
export const sizeMin = headBytes + keyBytes
export const sizeMax = 256 << 10
/** A value that makes a put of `size` bytes of it. */
export function valueFor(size: number): Buffer {
  return Buffer.alloc(size - sizeMin, 'raftbox ')
}

/** Calls at a time while the records of a workload are put in place, and the bytes of their values. */
const fillersMax = 256
const fillingBytesMax = 16 << 20

export interface Call {
  readonly op: OperationName
  /** Writes that it carries. */
  readonly commands: number
  perform(): Promise<unknown>
}

/** Draws the next call. */
export type NextCall = () => Call

/** The server of a workload: a cluster, or servers of etcd's API. Keys are copied before a call returns. */
export interface Store {
  put(key: Bytes, value: Bytes): Promise<unknown>
  get(key: Bytes): Promise<unknown>
}

/** Puts of `size` bytes each, on keys drawn evenly, `batch` of them in a call. */
export function putCalls(cluster: Cluster, options: { size: number; batch: number }): NextCall {
  // Nothing tells one put from the next: all clients share one call.
  const call: Call = { op: 'put', commands: options.batch, perform: performerOf(cluster, options) }
  return () => call
}

function performerOf(
  cluster: Cluster,
  { size, batch }: { size: number; batch: number },
): () => Promise<unknown> {
  const key = Buffer.from(keyTemplate)
  const value = valueFor(size)
  // A call is copied before it returns, so all clients share one and write their keys into it. A set of keys made
  // beforehand would be looked up in memory that is in no cache, at the cost of what is measured.
  if (batch === 1) {
    return () => {
      drawKey(key, 0)
      return cluster.put(key, value)
    }
  }
  const commands = Array.from({ length: batch }, () => encode(writePut, key, value))
  return () => {
    for (const command of commands) drawKey(command, headBytes)
    return cluster.propose(commands)
  }
}

function drawKey(bytes: Uint8Array, start: number): void {
  writeKey(bytes, start, drawNumber())
}

/** Of a key, drawn evenly. */
export function drawNumber(): number {
  return Math.floor(Math.random() * keyCount)
}

/** Writes the digits of `number` over those of the key that begins at `start`. */
export function writeKey(bytes: Uint8Array, start: number, number: number): void {
  let rest = number % keyCount
  for (let at = start + keyBytes - 1; at >= start + keyBytes - keyDigits; at--) {
    bytes[at] = zero + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}

/** Operations of a YCSB workload. A read is linearizable; a read-modify-write is a read and, after it, a put. */
export function workloadCalls(store: Store, workload: Workload): NextCall {
  const put = (key: Bytes): Promise<unknown> => store.put(key, workload.value())
  const get = (key: Bytes): Promise<unknown> => store.get(key)
  // A scrambled choice takes its caller longer than a put takes it: a run is not to measure that.
  const drawKey = (): string => workload.keyFor('read')
  const nextKey: () => Bytes = workload.isSteady ? repeatedKeys(drawKey) : drawKey
  // As with puts, all clients share the calls; each draws its key as it is made.
  const read: Call = { op: 'read', commands: 0, perform: () => get(nextKey()) }
  const update: Call = { op: 'update', commands: 1, perform: () => put(nextKey()) }
  const insert: Call = { op: 'insert', commands: 1, perform: () => put(workload.keyFor('insert')) }
  const readModifyWrite: Call = {
    op: 'readModifyWrite',
    commands: 1,
    perform: async () => {
      const key = workload.keyFor('readModifyWrite')
      await get(key)
      await put(key)
    },
  }
  return () => {
    switch (workload.next()) {
      case 'read':
        return read
      case 'update':
        return update
      case 'insert':
        return insert
      case 'readModifyWrite':
        return readModifyWrite
    }
  }
}

/** Puts the records that a workload expects to find. */
export async function fill(store: Pick<Store, 'put'>, tally: Tally, workload: Workload): Promise<void> {
  const keys = workload.keys()[Symbol.iterator]()
  const filler = async (): Promise<void> => {
    for (let next = keys.next(); !next.done && !tally.isStopped; next = keys.next()) {
      await store.put(next.value, workload.value())
      tally.filled()
    }
  }
  const fillers = Math.min(fillersMax, Math.ceil(fillingBytesMax / workload.value().length))
  await Promise.all(Array.from({ length: fillers }, filler))
}
