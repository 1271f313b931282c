/** Ranges of keys, as etcd reads them. */
import type { Memory } from '../machine/index.js'
import type { AnswerRoom } from './answer-room.js'
import type { Status } from './border.js'
import type { Bounds, Place } from './key-order.js'
import type { KeyValue } from './key-value.js'
import type { Ref } from './records.js'
import type { KeyRange, RangeRequest } from './requests.js'
import type { RangeResponse } from './responses.js'
import type { Store } from './store.js'
import type { Span } from './wire.js'

/**
 * Where a request comes from. etcd reads a range end that is there and empty as no end at all. A logged request has
 * none: etcd packs it again on the way to its log, and packs no empty field.
 */
export type Origin = 'log' | 'query'

/** A single key, or all keys within bounds. */
export type Keyed = { readonly key: Place } | { readonly bounds: Bounds }

export function keyedBy({ key, rangeEnd }: KeyRange, memory: Memory, origin: Origin): Keyed {
  const place = placeOf(key, memory)
  if (rangeEnd === undefined) return { key: place }
  const end = placeOf(rangeEnd, memory)
  if (end.length === 0 && origin === 'log') return { key: place }
  const isOpen = end.length === 1 && memory.bytes[end.start] === 0
  const { start, length } = place
  return { bounds: { memory, start, length, end: end.start, endLength: isOpen ? 0 : end.length } }
}

export function placeOf({ start, end }: Span, memory: Memory): Place {
  return { memory, start, length: end - start }
}

/** Visits the records in force at a revision, in the order of their keys, until `visit` answers false. */
export function visitAt(store: Store, keyed: Keyed, revision: number, visit: (ref: Ref) => boolean): void {
  if ('bounds' in keyed) {
    store.keys.order.visit(keyed.bounds, (number) => {
      const ref = store.recordAt(number, revision)
      return ref === 0 || visit(ref)
    })
    return
  }
  const number = store.keys.find(keyed.key)
  const ref = number === 0 ? 0 : store.recordAt(number, revision)
  if (ref !== 0) visit(ref)
}

export function range(
  store: Store,
  memory: Memory,
  request: RangeRequest,
  origin: Origin,
  room?: AnswerRoom,
): RangeResponse | Status {
  const current = store.visibleRevision
  if (request.revision > current) return 'futureRevision'
  const revision = request.revision <= 0 ? current : request.revision
  if (revision < store.compactRevision) return 'compacted'
  const keyed = keyedBy(request, memory, origin)
  const { keysOnly, limit } = request
  // One more than the limit is read, and it is sorted with the others.
  const kvsMax = request.countOnly ? 0 : limit <= 0 || readsAll(request) ? Infinity : limit + 1
  const found: Ref[] = []
  if (kvsMax > 0)
    visitAt(store, keyed, revision, (ref) => {
      found.push(ref)
      return found.length < kvsMax && room?.take(store.records.lengthOf(ref)) !== false
    })
  const count = found.length < kvsMax ? found.length : countOf(store, keyed, revision)
  const sorted = sort(store, filter(store, found, request), request)
  const more = limit > 0 && sorted.length > limit
  const kvs = more ? sorted.slice(0, limit) : sorted
  return { type: 'range', revision: current, kvs, keysOnly, more, count }
}

function countOf(store: Store, keyed: Keyed, revision: number): number {
  if ('bounds' in keyed) return store.countAt(keyed.bounds, revision)
  let count = 0
  visitAt(store, keyed, revision, () => ++count < 1)
  return count
}

/** Whether a limit applies only to what was sorted and filtered. */
function readsAll(request: RangeRequest): boolean {
  return request.sortOrder !== 0 || hasFilter(request)
}

function hasFilter(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request
  return (minModRevision || maxModRevision || minCreateRevision || maxCreateRevision) !== 0
}

function filter(store: Store, refs: Ref[], request: RangeRequest): Ref[] {
  if (!hasFilter(request)) return refs
  const isWithin = (revision: number, min: number, max: number): boolean =>
    (min === 0 || revision >= min) && (max === 0 || revision <= max)
  return refs.filter((ref) => {
    const { modRevision, createRevision } = store.keyValueOf(ref)
    return (
      isWithin(modRevision, request.minModRevision, request.maxModRevision) &&
      isWithin(createRevision, request.minCreateRevision, request.maxCreateRevision)
    )
  })
}

const orders = { none: 0, ascend: 1, descend: 2 } as const
const targets = { key: 0, version: 1, create: 2, mod: 3, value: 4 } as const

function sort(store: Store, refs: Ref[], { sortOrder, sortTarget }: RangeRequest): Ref[] {
  // Keys come in their order.
  if (sortTarget === targets.key) return sortOrder === orders.descend ? refs.reverse() : refs
  const sign = sortOrder === orders.descend ? -1 : 1
  if (sortOrder !== orders.none && sortOrder !== orders.ascend && sortOrder !== orders.descend) return refs
  if (sortTarget === targets.value) {
    const values = refs.map((ref) => ({ ref, value: bytesOf(store.valueOf(ref)) }))
    return values.sort((a, b) => sign * Buffer.compare(a.value, b.value)).map(({ ref }) => ref)
  }
  const numbers = refs.map((ref) => ({ ref, number: sortedBy(store.keyValueOf(ref), sortTarget) }))
  return numbers.sort((a, b) => sign * (a.number - b.number)).map(({ ref }) => ref)
}

function sortedBy(keyValue: KeyValue, target: number): number {
  if (target === targets.version) return keyValue.version
  return target === targets.create ? keyValue.createRevision : keyValue.modRevision
}

export function bytesOf({ memory, start, length }: Place): Uint8Array {
  return memory.bytes.subarray(start, start + length)
}
