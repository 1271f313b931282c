/** Closed-loop clients: each makes its next call when the last one is answered. All run in this thread. */
import { type Cluster, encode, writePut } from '../cluster/index.js'
import type { Tally } from './tally.js'
import type { Operation, Workload } from './workload.js'

/** Keys of plain puts. */
const keyCount = 10_000
/** A put in bytes: its operation and the length of its key, before key and value. */
const headBytes = 3
const keyBytes = 8
/** The least and the most that one plain put may take. */
export const sizeMin = headBytes + keyBytes
export const sizeMax = 256 << 10

/** Calls at a time while the records of a workload are put in place. */
const fillersMax = 256

/** Puts of `size` bytes each, on keys drawn evenly; resolves once the tally is stopped. */
export async function runPuts(cluster: Cluster, tally: Tally, options: PutOptions): Promise<void> {
  const { clients, batch } = options
  const call = batch === 1 ? singlePuts(cluster, options.size) : batchedPuts(cluster, options)
  const client = async (): Promise<void> => {
    while (!tally.isStopped) {
      const startMs = performance.now()
      try {
        await call()
        tally.answered('put', startMs, batch)
      } catch (error) {
        await tally.failed(error)
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
}

export interface PutOptions {
  readonly clients: number
  readonly size: number
  readonly batch: number
}

/** The keys are made beforehand: what a call costs here is taken from what is measured. */
function singlePuts(cluster: Cluster, size: number): () => Promise<unknown> {
  const keys = Array.from({ length: keyCount }, (_, at) => keyOf(at))
  const value = fillingOf(size)
  return () => cluster.put(keys[randomKey()]!, value)
}

/** `propose` copies its commands before it returns, so all clients share one set and write their keys into it. */
function batchedPuts(cluster: Cluster, { size, batch }: PutOptions): () => Promise<unknown> {
  const keys = Array.from({ length: keyCount }, (_, at) => keyOf(at))
  const commands = Array.from({ length: batch }, () => encode(writePut, keyOf(0), fillingOf(size)))
  return () => {
    for (const command of commands) command.set(keys[randomKey()]!, headBytes)
    return cluster.propose(commands)
  }
}

function randomKey(): number {
  return Math.floor(Math.random() * keyCount)
}

function keyOf(at: number): Buffer {
  return Buffer.from(`key-${String(at).padStart(keyBytes - 4, '0')}`)
}

function fillingOf(size: number): Buffer {
  return Buffer.alloc(size - sizeMin, 'raftbox ')
}

/** Puts the records that a workload expects to find. */
export async function fill(cluster: Cluster, tally: Tally, workload: Workload): Promise<void> {
  const keys = workload.keys()[Symbol.iterator]()
  const filler = async (): Promise<void> => {
    for (let next = keys.next(); !next.done && !tally.isStopped; next = keys.next()) {
      await cluster.put(next.value, workload.value())
      tally.commandsSoFar++
    }
  }
  await Promise.all(Array.from({ length: fillersMax }, filler))
  tally.commandsSoFar = 0
}

/** Operations of a YCSB workload; resolves once the tally is stopped. */
export async function runWorkload(
  cluster: Cluster,
  tally: Tally,
  workload: Workload,
  clients: number,
): Promise<void> {
  const client = async (): Promise<void> => {
    while (!tally.isStopped) {
      const operation = workload.next()
      const startMs = performance.now()
      try {
        await perform(cluster, workload, operation)
        tally.answered(operation.op, startMs, operation.op === 'read' ? 0 : 1)
      } catch (error) {
        await tally.failed(error)
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
}

/** A read is linearizable; a read-modify-write is a read and, after it, a put of another value. */
async function perform(cluster: Cluster, workload: Workload, { op, key }: Operation): Promise<void> {
  if (op === 'read' || op === 'readModifyWrite') await cluster.get(key)
  if (op !== 'read') await cluster.put(key, workload.value())
}
