/**
 * Requests as they stand in their bytes. Keys and values are spans of the request's memory, so that a request is read
 * without a copy. Each reader answers `undefined` for malformed bytes.
 */
import type { Memory } from '../machine/index.js'
import { Reader, type Span } from './wire.js'

/** Keys of a request. */
export interface KeyRange {
  readonly key: Span
  readonly rangeEnd: Span | undefined
}

export interface RangeRequest extends KeyRange {
  readonly type: 'range'
  readonly limit: number
  readonly revision: number
  readonly sortOrder: number
  readonly sortTarget: number
  readonly serializable: boolean
  readonly keysOnly: boolean
  readonly countOnly: boolean
  readonly minModRevision: number
  readonly maxModRevision: number
  readonly minCreateRevision: number
  readonly maxCreateRevision: number
}

export interface PutRequest {
  readonly type: 'put'
  readonly key: Span
  readonly value: Span
  readonly lease: bigint
  readonly prevKv: boolean
  readonly ignoreValue: boolean
  readonly ignoreLease: boolean
}

export interface DeleteRangeRequest extends KeyRange {
  readonly type: 'deleteRange'
  readonly prevKv: boolean
}

export interface Compare extends KeyRange {
  readonly result: number
  readonly target: number
  /** The field of the union that is set, by its number; 0 when none is. */
  readonly unionField: number
  readonly number: number
  readonly value: Span
  readonly lease: bigint
}

export interface TxnRequest {
  readonly type: 'txn'
  readonly compare: readonly Compare[]
  readonly success: readonly RequestOp[]
  readonly failure: readonly RequestOp[]
}

/** `empty`: an operation without a request. `tooDeep`: a transaction in more than `depthMax` others, which is unread. */
export type RequestOp =
  | RangeRequest
  | PutRequest
  | DeleteRangeRequest
  | TxnRequest
  | { readonly type: 'empty' }
  | { readonly type: 'tooDeep' }

export interface CompactionRequest {
  readonly type: 'compact'
  readonly revision: number
}

/** etcd allows 128 operations, each level of nesting takes at least one of them. */
const depthMax = 128
const noBytes: Span = { start: 0, end: 0 }

/** Reads a whole request of `memory` from `start` to `end`. */
export function readRequest<Request>(
  read: (reader: Reader) => Request,
  memory: Memory,
  start: number,
  end: number,
): Request | undefined {
  const reader = new Reader(memory, start, end)
  const request = read(reader)
  return reader.failed ? undefined : request
}

export function readRange(reader: Reader): RangeRequest {
  let key = noBytes
  let rangeEnd: Span | undefined
  /** By their fields. */
  const numbers = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  while (reader.next()) {
    const { field } = reader
    if (field === 1) key = reader.bytes()
    else if (field === 2) rangeEnd = reader.bytes()
    else if (field === 5 || field === 6) numbers[field] = reader.enum()
    else if (field >= 7 && field <= 9) numbers[field] = Number(reader.bool())
    else if (field < numbers.length) numbers[field] = reader.int64()
    else reader.skip()
  }
  return {
    type: 'range',
    key,
    rangeEnd,
    limit: numbers[3]!,
    revision: numbers[4]!,
    sortOrder: numbers[5]!,
    sortTarget: numbers[6]!,
    serializable: numbers[7] === 1,
    keysOnly: numbers[8] === 1,
    countOnly: numbers[9] === 1,
    minModRevision: numbers[10]!,
    maxModRevision: numbers[11]!,
    minCreateRevision: numbers[12]!,
    maxCreateRevision: numbers[13]!,
  }
}

export function readPut(reader: Reader): PutRequest {
  const request = {
    type: 'put' as const,
    key: noBytes,
    value: noBytes,
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  }
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        request.key = reader.bytes()
        break
      case 2:
        request.value = reader.bytes()
        break
      case 3:
        request.lease = reader.bigint()
        break
      case 4:
        request.prevKv = reader.bool()
        break
      case 5:
        request.ignoreValue = reader.bool()
        break
      case 6:
        request.ignoreLease = reader.bool()
        break
      default:
        reader.skip()
    }
  }
  return request
}

export function readDeleteRange(reader: Reader): DeleteRangeRequest {
  const request = {
    type: 'deleteRange' as const,
    key: noBytes,
    rangeEnd: undefined as Span | undefined,
    prevKv: false,
  }
  while (reader.next()) {
    if (reader.field === 1) request.key = reader.bytes()
    else if (reader.field === 2) request.rangeEnd = reader.bytes()
    else if (reader.field === 3) request.prevKv = reader.bool()
    else reader.skip()
  }
  return request
}

function readCompare(reader: Reader): Compare {
  const compare = {
    result: 0,
    target: 0,
    key: noBytes,
    rangeEnd: undefined as Span | undefined,
    unionField: 0,
    number: 0,
    value: noBytes,
    lease: 0n,
  }
  while (reader.next()) {
    const { field } = reader
    if (field >= 4 && field <= 8) compare.unionField = field
    switch (field) {
      case 1:
        compare.result = reader.enum()
        break
      case 2:
        compare.target = reader.enum()
        break
      case 3:
        compare.key = reader.bytes()
        break
      case 4:
      case 5:
      case 6:
        compare.number = reader.int64()
        break
      case 7:
        compare.value = reader.bytes()
        break
      case 8:
        compare.lease = reader.bigint()
        break
      case 64:
        compare.rangeEnd = reader.bytes()
        break
      default:
        reader.skip()
    }
  }
  return compare
}

export function readTxn(reader: Reader): TxnRequest {
  return readTxnAt(reader, 0)
}

function readTxnAt(reader: Reader, depth: number): TxnRequest {
  const request = {
    type: 'txn' as const,
    compare: [] as Compare[],
    success: [] as RequestOp[],
    failure: [] as RequestOp[],
  }
  const readOp = (ofOp: Reader): RequestOp => readRequestOp(ofOp, depth + 1)
  while (reader.next()) {
    if (reader.field === 1) request.compare.push(reader.message(readCompare))
    else if (reader.field === 2) request.success.push(reader.message(readOp))
    else if (reader.field === 3) request.failure.push(reader.message(readOp))
    else reader.skip()
  }
  return request
}

function readRequestOp(reader: Reader, depth: number): RequestOp {
  let op: RequestOp = { type: 'empty' }
  while (reader.next()) {
    if (reader.field === 1) op = reader.message(readRange)
    else if (reader.field === 2) op = reader.message(readPut)
    else if (reader.field === 3) op = reader.message(readDeleteRange)
    else if (reader.field === 4 && depth <= depthMax) op = reader.message((ofTxn) => readTxnAt(ofTxn, depth))
    else {
      if (reader.field === 4) op = { type: 'tooDeep' }
      reader.skip()
    }
  }
  return op
}

export function readCompaction(reader: Reader): CompactionRequest {
  const request = { type: 'compact' as const, revision: 0 }
  while (reader.next()) {
    if (reader.field === 1) request.revision = reader.int64()
    // Whether the compaction is to be physical says nothing here: a sweep frees memory in its own time.
    else if (reader.field === 2) reader.bool()
    else reader.skip()
  }
  return request
}
