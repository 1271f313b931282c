/** Leases as clients ask for them, and the messages that answer. */
import type { Memory } from '../machine/index.js'
import type { LogIndex } from '../raft/index.js'
import type { Status } from './border.js'
import { type Lease, type Leases, ttlMax } from './leases.js'
import { readRequest } from './requests.js'
import type { Store } from './store.js'
import {
  bigintFieldBytes,
  bytesFieldBytes,
  type Measured,
  numberFieldBytes,
  type Reader,
  type Writer,
} from './wire.js'

/** Bytes of a request within the memory of a frame. */
export interface RequestPlace {
  readonly memory: Memory
  readonly start: number
  readonly end: number
}

/** `index`: the command's place in the log. */
export function grantLease(leases: Leases, place: RequestPlace, index: LogIndex): Measured | Status {
  const request = readRequest(readGrant, place.memory, place.start, place.end)
  if (request === undefined) return 'malformed'
  if (request.ttl > ttlMax) return 'leaseTtlTooLarge'
  const lease = leases.grant(request.id, request.ttl, index)
  return lease === undefined ? 'leaseExists' : leaseResponse(lease.id, [[ttlField, lease.ttl]])
}

/** The keys of the lease are deleted at one revision. */
export function revokeLease(leases: Leases, store: Store, place: RequestPlace): Status {
  const request = readLease(place)
  if (request === undefined) return 'malformed'
  const lease = leases.find(request.id)
  if (lease === undefined) return 'leaseNotFound'
  endLease(leases, store, lease)
  return 'ok'
}

export function endLease(leases: Leases, store: Store, lease: Lease): void {
  leases.remove(lease)
  store.deleteAtOnce(lease.keys)
}

/** A lease that is not there is answered with a time to live of 0. */
export function keepLeaseAlive(leases: Leases, place: RequestPlace): Measured | Status {
  const request = readLease(place)
  if (request === undefined) return 'malformed'
  const lease = leases.find(request.id)
  if (lease !== undefined) leases.keepAlive(lease)
  return leaseResponse(request.id, [[ttlField, lease?.ttl ?? 0]])
}

/** A lease that is not there is answered with a time to live of −1. */
export function timeToLive(leases: Leases, store: Store, place: RequestPlace): Measured | Status {
  const request = readLease(place)
  if (request === undefined) return 'malformed'
  const lease = leases.find(request.id)
  if (lease === undefined) return leaseResponse(request.id, [[ttlField, -1]])
  const keys = request.keys ? store.inOrder(lease.keys) : []
  const numbers: [number, number][] = [
    [ttlField, leases.remaining(lease)],
    [grantedTtlField, lease.ttl],
  ]
  const head = leaseResponse(request.id, numbers)
  const places = keys.map((key) => store.keys.placeOf(key))
  return {
    length: places.reduce((sum, { length }) => sum + bytesFieldBytes(length), head.length),
    write: (writer) => {
      head.write(writer)
      for (const { memory, start, length } of places) {
        writer.bytesHead(keysField, length)
        writer.bytes(memory, start, start + length)
      }
    },
  }
}

/** The lease that ends next comes first. */
export function listLeases(leases: Leases): Measured {
  const all = leases.inOrderOfEnd()
  return {
    length: all.reduce((sum, { id }) => sum + bytesFieldBytes(bigintFieldBytes(id)), 0),
    write: (writer) => {
      for (const { id } of all) {
        writer.bytesHead(leasesField, bigintFieldBytes(id))
        writer.bigintField(idOfStatusField, id)
      }
    },
  }
}

/** Fields of responses. */
const idField = 2
const ttlField = 3
const grantedTtlField = 4
const keysField = 5
const leasesField = 2
const idOfStatusField = 1

function leaseResponse(id: bigint, numbers: readonly (readonly [field: number, value: number])[]): Measured {
  return {
    length: numbers.reduce((sum, [, value]) => sum + numberFieldBytes(value), bigintFieldBytes(id)),
    write: (writer: Writer) => {
      writer.bigintField(idField, id)
      for (const [field, value] of numbers) writer.numberField(field, value)
    },
  }
}

export function readGrant(reader: Reader): { readonly ttl: number; readonly id: bigint } {
  const request = { ttl: 0, id: 0n }
  while (reader.next()) {
    if (reader.field === 1) request.ttl = reader.int64()
    else if (reader.field === 2) request.id = reader.bigint()
    else reader.skip()
  }
  return request
}

interface OfLease {
  readonly id: bigint
  readonly keys: boolean
}

/** A request that names a lease; that for its time to live may ask for its keys as well. */
function readLease({ memory, start, end }: RequestPlace): OfLease | undefined {
  return readRequest(readOfLease, memory, start, end)
}

export function readOfLease(reader: Reader): OfLease {
  const request = { id: 0n, keys: false }
  while (reader.next()) {
    if (reader.field === 1) request.id = reader.bigint()
    else if (reader.field === 2) request.keys = reader.bool()
    else reader.skip()
  }
  return request
}
