/**
 * The history of the store, which watches read. Layouts, little-endian:
 *
 *     query    f64 from · u32 bytes at most · u8 with previous
 *     event    f64 revision · u8 type (0 put, 1 delete) · u32 length · KeyValue
 *              · u32 length · the KeyValue before, of no bytes where there is none
 */
import type { Memory } from '../machine/index.js'
import { bodyOf, type Ref } from './records.js'
import type { Store } from './store.js'
import { type Measured, numberFieldBytes, type Writer } from './wire.js'

export const historyQueryBytes = 8 + 4 + 1
const eventHeadBytes = 8 + 1
const modRevisionField = 3

export interface HistoryQuery {
  readonly from: number
  readonly bytesMax: number
  readonly withPrev: boolean
}

export function readHistoryQuery({ view }: Memory, start: number, end: number): HistoryQuery | undefined {
  if (end - start !== historyQueryBytes) return undefined
  const from = view.getFloat64(start, true)
  if (!Number.isSafeInteger(from)) return undefined
  return {
    from,
    bytesMax: view.getUint32(start + 8, true),
    withPrev: view.getUint8(start + 12) === 1,
  }
}

/** Events of whole revisions, as many as `bytesMax` has room for, and those of at least one revision. */
export function eventsFrom(store: Store, { from, bytesMax, withPrev }: HistoryQuery): Measured {
  const { records } = store
  const found: { readonly ref: Ref; readonly prev: Ref }[] = []
  let length = 0
  /** Events of whole revisions, and their bytes. */
  let whole = { count: 0, length: 0 }
  let last = 0
  for (const ref of refsFrom(store, from)) {
    const revision = records.revisionOf(ref)
    if (length > bytesMax && (revision !== last || whole.count > 0)) break
    if (revision !== last) whole = { count: found.length, length }
    last = revision
    const prev = withPrev ? prevOf(store, ref) : 0
    found.push({ ref, prev })
    length += eventBytes(store, ref, prev)
  }
  if (whole.count > 0 && length > bytesMax) {
    found.length = whole.count
    length = whole.length
  }
  return {
    length,
    write: (writer) => {
      for (const { ref, prev } of found) writeEvent(store, writer, ref, prev)
    },
  }
}

/** Kept records from a revision on, in order. */
function* refsFrom(store: Store, from: number): Generator<Ref, void, undefined> {
  const { records } = store
  const { order } = records
  let low = 0
  let high = order.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (records.lastRevisionOf(order[middle]!) < from) low = middle + 1
    else high = middle
  }
  for (let position = low; position < order.length; position++) {
    for (const ref of records.refsOf(order[position]!)) {
      if (records.revisionOf(ref) >= from && store.isKept(ref)) yield ref
    }
  }
}

/**
 * The key's record before the revision. There is none where that revision is compacted, and none before a put that creates
 * the key, also if the same transaction has deleted the key first.
 */
function prevOf({ records, compactRevision }: Store, ref: Ref): Ref {
  const revision = records.revisionOf(ref)
  if (revision - 1 < compactRevision) return 0
  let prev = records.earlierOf(ref)
  if (prev === 0 || (records.isDelete(prev) && !records.isDelete(ref))) return 0
  while (prev !== 0 && records.revisionOf(prev) === revision) prev = records.earlierOf(prev)
  return prev === 0 || records.isDelete(prev) ? 0 : prev
}

/** The KeyValue of a delete has the revision too. */
function deleteRevisionBytes({ records }: Store, ref: Ref): number {
  return records.isDelete(ref) ? numberFieldBytes(records.revisionOf(ref)) : 0
}

function eventBytes(store: Store, ref: Ref, prev: Ref): number {
  const { records } = store
  const kv = records.lengthOf(ref) + deleteRevisionBytes(store, ref)
  return eventHeadBytes + 4 + kv + 4 + (prev === 0 ? 0 : records.lengthOf(prev))
}

function writeEvent(store: Store, writer: Writer, ref: Ref, prev: Ref): void {
  const { records } = store
  const { view } = writer.memory
  view.setFloat64(writer.at, records.revisionOf(ref), true)
  view.setUint8(writer.at + 8, records.isDelete(ref) ? 1 : 0)
  const length = records.lengthOf(ref)
  view.setUint32(writer.at + eventHeadBytes, length + deleteRevisionBytes(store, ref), true)
  writer.at += eventHeadBytes + 4
  writer.bytes(records.memoryOf(ref), bodyOf(ref), bodyOf(ref) + length)
  if (records.isDelete(ref)) writer.numberField(modRevisionField, records.revisionOf(ref))
  const prevLength = prev === 0 ? 0 : records.lengthOf(prev)
  view.setUint32(writer.at, prevLength, true)
  writer.at += 4
  if (prev !== 0) writer.bytes(records.memoryOf(prev), bodyOf(prev), bodyOf(prev) + prevLength)
}
