/**
 * The commands and queries of the built-in key-value store, served by the store of all revisions: layouts and answers are
 * those of `machine/commands.ts` and `machine/answers.ts`, and each write is one revision. The revisions are those of
 * etcd's API, so that the first write is revision 2.
 */
import {
  answerHeaderBytes,
  type KvCommand,
  type Status as KvStatus,
  keyBytesMax,
  statuses as kvStatuses,
  Memory,
  queryOps,
  queryPrefixBytes,
  rangeBoundBytesMax,
  rangeBytesMax,
  rangeHeaderBytes,
  rangePrefixBytes,
  readCommand,
  revisionsBytes,
  setUint64,
  valueBytesMax,
  writeHeader,
  writeRangeHeader,
} from '../machine/index.js'
import type { Place } from './key-order.js'
import type { RequestPlace } from './lease-requests.js'
import type { Ref } from './records.js'
import type { Store } from './store.js'
import type { Measured } from './wire.js'

/** Operations of etcd's API have higher codes. */
const opMax = 0x3f

/** Whether the bytes of a command or a query are meant for the key-value store. No bytes are malformed there. */
export function isForKv({ memory, start, end }: RequestPlace): boolean {
  return start === end || memory.bytes[start]! <= opMax
}

/** The outcome of a command or of a query. */
export type KvAnswer =
  /** `ref`: the record that goes with the status; 0: there is none. */
  | { readonly status: KvStatus; readonly ref: Ref }
  | { readonly found: readonly Ref[]; readonly hasMore: boolean }

const malformed = only(kvStatuses.malformed)

/** Applies a command; the caller then ends the revision. */
export function applyKv(store: Store, { memory, start, end }: RequestPlace): KvAnswer {
  const command = readCommand(memory.bytes.subarray(start, end))
  if (command === undefined) return malformed
  const key = placeIn(memory, command.key)
  switch (command.op) {
    case 'put':
      return putKey(store, key, placeIn(memory, command.value))
    case 'append':
      return appendToKey(store, key, command.value)
    case 'delete':
      return deleteKey(store, key)
    case 'cas': {
      const present = store.get(key)
      if (!isExpected(store, present, command)) return { status: kvStatuses.mismatch, ref: present }
      return putKey(store, key, placeIn(memory, command.value))
    }
  }
}

function putKey(store: Store, key: Place, value: Place): KvAnswer {
  store.put(key, value, 0n)
  return only(kvStatuses.applied)
}

function deleteKey(store: Store, key: Place): KvAnswer {
  const present = store.get(key)
  if (present === 0) return only(kvStatuses.notFound)
  store.delete(store.records.keyOf(present))
  return only(kvStatuses.applied)
}

function appendToKey(store: Store, key: Place, added: Uint8Array): KvAnswer {
  const present = store.get(key)
  const earlier = present === 0 ? new Uint8Array(0) : valueBytesOf(store, present)
  const length = earlier.byteLength + added.byteLength
  if (length > valueBytesMax) return only(kvStatuses.tooLarge)
  const memory = new Memory(Buffer.concat([earlier, added]))
  return putKey(store, key, { memory, start: 0, length })
}

function isExpected(store: Store, present: Ref, { expected }: KvCommand & { readonly op: 'cas' }): boolean {
  if (present === 0 || expected === undefined) return present === 0 && expected === undefined
  return Buffer.compare(valueBytesOf(store, present), expected) === 0
}

export function readKv(store: Store, { memory, start, end }: RequestPlace): KvAnswer {
  const op = start < end ? memory.bytes[start] : undefined
  if (op === queryOps.get) return getKey(store, memory, start + queryPrefixBytes, end)
  return op === queryOps.range ? rangeOfKeys(store, memory, start, end) : malformed
}

function getKey(store: Store, memory: Memory, start: number, end: number): KvAnswer {
  const length = end - start
  if (length < 1 || length > keyBytesMax) return malformed
  const ref = store.get({ memory, start, length })
  return ref === 0 ? only(kvStatuses.notFound) : { status: kvStatuses.found, ref }
}

/** Longer keys than those of the key-value store, which only etcd's API writes, are left out. */
function rangeOfKeys(store: Store, memory: Memory, query: number, queryEnd: number): KvAnswer {
  const start = query + rangePrefixBytes
  if (start > queryEnd) return malformed
  const limit = memory.view.getUint32(query + 1, true)
  const length = memory.view.getUint16(query + 5, true)
  const end = start + length
  const endLength = queryEnd - end
  if (limit === 0 || length > rangeBoundBytesMax || endLength < 0 || endLength > rangeBoundBytesMax)
    return malformed
  const found: Ref[] = []
  let bytes = 0
  let hasMore = false
  store.keys.order.visit({ memory, start, length, end, endLength }, (number) => {
    const ref = store.liveOf(number)
    if (ref === 0 || store.keys.placeOf(number).length > keyBytesMax) return true
    const bytesNext = bytes + entryBytes(store, ref)
    hasMore = found.length === limit || (found.length > 0 && bytesNext > rangeBytesMax)
    if (hasMore) return false
    found.push(ref)
    bytes = bytesNext
    return true
  })
  return { found, hasMore }
}

/** To be called once the revision of a command has ended. */
export function kvMessage(store: Store, answer: KvAnswer): Measured {
  return 'found' in answer ? rangeMessage(store, answer) : recordMessage(store, answer)
}

function recordMessage(
  store: Store,
  { status, ref }: { readonly status: KvStatus; readonly ref: Ref },
): Measured {
  return {
    length: answerHeaderBytes + (ref === 0 ? 0 : recordBytes(store, ref)),
    write: ({ memory: into, at }) => {
      writeHeader(into, at, status, store.revision)
      if (ref !== 0) writeRecord(store, into, at + answerHeaderBytes, ref)
    },
  }
}

function rangeMessage(
  store: Store,
  { found, hasMore }: { readonly found: readonly Ref[]; readonly hasMore: boolean },
): Measured {
  return {
    length: found.reduce((sum, ref) => sum + entryBytes(store, ref), rangeHeaderBytes),
    write: ({ memory: into, at: start }) => {
      writeRangeHeader(into, start, store.revision, found.length, hasMore)
      let at = start + rangeHeaderBytes
      for (const ref of found) {
        const key = store.keyOf(store.records.keyOf(ref))
        into.view.setUint16(at, key.byteLength, true)
        into.view.setUint32(at + 2, valueBytesOf(store, ref).byteLength, true)
        into.bytes.set(key, at + 6)
        at = writeRecord(store, into, at + 6 + key.byteLength, ref)
      }
    },
  }
}

function recordBytes(store: Store, ref: Ref): number {
  return revisionsBytes + store.valueOf(ref).length
}

function entryBytes(store: Store, ref: Ref): number {
  return 6 + store.keys.placeOf(store.records.keyOf(ref)).length + recordBytes(store, ref)
}

/** Returns the offset behind the record. */
function writeRecord(store: Store, { bytes, view }: Memory, at: number, ref: Ref): number {
  const { createRevision, modRevision, version } = store.keyValueOf(ref)
  setUint64(view, at, createRevision)
  setUint64(view, at + 8, modRevision)
  setUint64(view, at + 16, version)
  const value = valueBytesOf(store, ref)
  bytes.set(value, at + revisionsBytes)
  return at + revisionsBytes + value.byteLength
}

function valueBytesOf(store: Store, ref: Ref): Uint8Array {
  const { memory, start, length } = store.valueOf(ref)
  return memory.take(start, start + length)
}

function placeIn(memory: Memory, part: Uint8Array): Place {
  return { memory, start: part.byteOffset - memory.bytes.byteOffset, length: part.byteLength }
}

function only(status: KvStatus): KvAnswer {
  return { status, ref: 0 }
}
