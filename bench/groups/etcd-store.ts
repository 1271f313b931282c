/** The machine of etcd's API by itself, full of keys: its memory, its turns, and what it takes to restore it. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Memory, ResultBuilder, type StateMachine } from '../../src/machine/index.js'
import {
  bytesFieldBytes,
  createMvcc,
  messageOf,
  mvccCommandOps,
  mvccQueryOps,
  numberFieldBytes,
  writeRequest,
} from '../../src/mvcc/index.js'
import { type Frame, packCommands } from '../../src/raft/index.js'
import { medianOf } from '../../src/report/index.js'
import { type BenchCase, type Extent, type Group, lower, pick, type Sample } from '../suite/index.js'

const valueBytes = 128
/** The id of the lease that all keys of a store are under. */
const lease = 7
const batch = 256
/** A prime, so that keys come in no order and none twice. */
const stride = 768_143

export const etcdStore: Group = {
  name: 'etcd-store',
  cases: (extent: Extent) => pick(extent, [1_000_000], [100_000]).map(fullOf),
}

function fullOf(keys: number): BenchCase {
  return {
    name: `keys/${keys}`,
    title: `keys of ${valueBytes} bytes in the machine of etcd's API: ${keys}`,
    parameters: { keys, size: valueBytes },
    run: async () => measured(keys),
  }
}

function measured(keys: number): Sample {
  const before = heldBytes()
  const store = new Driven()
  const made = store.putAll(keys, keys)
  const held = heldBytes() - before
  const putAgain = store.putAll(keys, keys / 5)
  const page = store.ask({ key: 'key/', end: 'key0', limit: 1000 })
  const gets = Array.from({ length: 1000 }, (_, at) => store.ask({ key: keyAt(at, keys) }))
  const snapshot = store.snapshot()
  const restoring = performance.now()
  new Driven().machine.restore(snapshot.pieces)
  const restored = performance.now() - restoring
  store.compact()
  const swept = store.putAll(keys, keys / 5)
  const deleted = store.deleteAll()
  const leased = new Driven()
  leased.grantLease()
  leased.putAll(keys, keys, lease)
  return {
    figures: [
      lower('bytesPerKey', 'bytes', held / keys),
      lower('newKeyUs', 'µs', (made.totalMs * 1000) / keys),
      lower('putUs', 'µs', (putAgain.totalMs * 1000 * 5) / keys),
      lower('getUs', 'µs', medianOf(gets) * 1000),
      lower('pageOf1000Ms', 'ms', page),
      lower('longestPieceMs', 'ms', snapshot.longestMs),
      lower('restoreMs', 'ms', restored),
      lower('longestRunWhileSweptMs', 'ms', swept.longestMs),
      lower('deleteAllMs', 'ms', deleted),
      lower('leaseEndMs', 'ms', leased.revokeLease()),
    ],
  }
}

/** A machine, fed as a node feeds it. */
class Driven {
  readonly machine: StateMachine = createMvcc()
  readonly #results = new ResultBuilder()
  #index = 1

  /** Puts keys in no order; answers what the runs took. */
  putAll(keys: number, count: number, under = 0): { readonly totalMs: number; readonly longestMs: number } {
    let totalMs = 0
    let longestMs = 0
    for (let from = 0; from < count; from += batch) {
      const frame = packCommands(
        Array.from({ length: batch }, (_, at) => putOf(keyAt(from + at, keys), under)),
      )
      const took = this.#apply(frame)
      totalMs += took
      longestMs = Math.max(longestMs, took)
    }
    return { totalMs, longestMs }
  }

  /** Compacts at the present revision. */
  compact(): void {
    const revision = this.machine.summary?.()['revision'] ?? 0
    this.#command(mvccCommandOps.compact, numberField(1, revision))
  }

  deleteAll(): number {
    return this.#command(mvccCommandOps.deleteRange, bytesField(1, 'key/'), bytesField(2, 'key0'))
  }

  grantLease(): void {
    this.#command(mvccCommandOps.leaseGrant, numberField(1, 3600), numberField(2, lease))
  }

  /** Deletes the keys of the lease, as its end does. */
  revokeLease(): number {
    return this.#command(mvccCommandOps.leaseRevoke, numberField(1, lease))
  }

  #command(op: number, ...fields: readonly Uint8Array[]): number {
    return this.#apply(packCommands([requestOf(op, Buffer.concat(fields))]))
  }

  ask({ key, end = '', limit = 0 }: { key: string; end?: string; limit?: number }): number {
    const fields = [bytesField(1, key), ...(end === '' ? [] : [bytesField(2, end)]), numberField(3, limit)]
    const query = packCommands([requestOf(mvccQueryOps.range, Buffer.concat(fields))])
    const from = performance.now()
    this.machine.read(query, this.#results)
    const took = performance.now() - from
    this.#results.take()
    return took
  }

  snapshot(): { readonly pieces: readonly Uint8Array[]; readonly longestMs: number } {
    const pieces: Uint8Array[] = []
    let longestMs = 0
    const snapshot = this.machine.snapshot()
    for (;;) {
      const from = performance.now()
      const next = snapshot.next()
      longestMs = Math.max(longestMs, performance.now() - from)
      if (next.done === true) return { pieces, longestMs }
      pieces.push(next.value)
    }
  }

  #apply(frame: Frame): number {
    const from = performance.now()
    this.machine.apply({ ...frame, index: this.#index, term: 1, timeMs: 0 }, this.#results)
    const took = performance.now() - from
    this.#index += frame.count
    this.#results.take()
    return took
  }
}

const value = Buffer.alloc(valueBytes, 'v')

function keyAt(at: number, keys: number): string {
  return `key/${String((at * stride) % keys).padStart(12, '0')}`
}

function putOf(key: string, under: number): Uint8Array {
  const fields = [bytesField(1, key), bytesField(2, value), numberField(3, under)]
  return requestOf(mvccCommandOps.put, Buffer.concat(fields))
}

function requestOf(op: number, request: Uint8Array): Uint8Array {
  const into = { bytes: new Uint8Array(1 + request.byteLength), reserve: () => 0 }
  writeRequest(into, op, request)
  return into.bytes
}

function bytesField(field: number, from: string | Buffer): Uint8Array {
  const bytes = new Memory(Buffer.from(from as string))
  const length = bytes.bytes.byteLength
  return messageOf(bytesFieldBytes(length), (writer) => {
    writer.bytesHead(field, length)
    writer.bytes(bytes, 0, length)
  })
}

function numberField(field: number, value: number): Uint8Array {
  return messageOf(numberFieldBytes(value), (writer) => writer.numberField(field, value))
}

/** Node has a collector that a program may call, once it is told to. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

function heldBytes(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
