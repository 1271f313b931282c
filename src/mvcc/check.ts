/** Findings about a request before a server proposes it or reads: etcd's checks, and who may answer. */
import { Memory } from '../machine/index.js'
import type { RefusalStatus } from './border.js'
import { hasDuplicateKey } from './duplicate-keys.js'
import { opsMax } from './limits.js'
import {
  type CompactionRequest,
  type RangeRequest,
  type RequestOp,
  readCompaction,
  readDeleteRange,
  readPut,
  readRange,
  readRequest,
  readTxn,
  type TxnRequest,
} from './requests.js'
import type { Reader, Span } from './wire.js'

/** Sort targets have the numbers below this one. */
const sortTargets = 5

const readers = {
  put: readPut,
  deleteRange: readDeleteRange,
  txn: readTxn,
  compact: readCompaction,
  range: readRange,
} as const
export type InspectedOp = keyof typeof readers

/** Facts about a request that must be known before a node has it. */
export interface Inspected {
  /** The reason to refuse the request. `undefined`: a node may have it. */
  readonly refusal: RefusalStatus | undefined
  /** The request only reads, so that it leaves no entry in the log. */
  readonly isQuery: boolean
  /** The client takes an answer from a single node's own state, however old it is. */
  readonly isSerializable: boolean
}

/** Every call reads its request here once, in the thread of all clients. */
export function inspect(op: InspectedOp, bytes: Uint8Array): Inspected {
  const memory = new Memory(bytes)
  const reader: (reader: Reader) => RequestOp | CompactionRequest = readers[op]
  const request = readRequest(reader, memory, 0, bytes.byteLength)
  if (request === undefined) return { refusal: 'malformed', isQuery: false, isSerializable: false }
  switch (request.type) {
    case 'range':
      return { refusal: checkOp(request), isQuery: true, isSerializable: request.serializable }
    case 'txn':
      return {
        refusal: checkWholeTxn(request, memory),
        isQuery: isReadOnly(request),
        isSerializable: hasOnly(request, (each) => each.type === 'range' && each.serializable),
      }
    case 'compact':
      return { refusal: undefined, isQuery: false, isSerializable: false }
    default:
      return { refusal: checkOp(request), isQuery: false, isSerializable: false }
  }
}

export function isReadOnly(txn: TxnRequest): boolean {
  return hasOnly(txn, ({ type }) => type === 'range')
}

function hasOnly({ success, failure }: TxnRequest, isMeant: (op: RequestOp) => boolean): boolean {
  return success.every(isMeant) && failure.every(isMeant)
}

function checkWholeTxn(txn: TxnRequest, memory: Memory): RefusalStatus | undefined {
  return checkTxn(txn, opsMax) ?? (hasDuplicateKey(txn, memory) ? 'duplicateKey' : undefined)
}

function checkTxn({ compare, success, failure }: TxnRequest, max: number): RefusalStatus | undefined {
  const count = Math.max(compare.length, success.length, failure.length)
  if (count > max) return 'tooManyOps'
  if (compare.some(({ key }) => isEmpty(key))) return 'emptyKey'
  for (const op of [...success, ...failure]) {
    const status = checkOp(op, max - count)
    if (status !== undefined) return status
  }
  return undefined
}

function checkOp(op: RequestOp, max = 0): RefusalStatus | undefined {
  switch (op.type) {
    case 'range':
      return isEmpty(op.key) ? 'emptyKey' : checkSort(op)
    case 'put':
      if (isEmpty(op.key)) return 'emptyKey'
      if (op.ignoreValue && !isEmpty(op.value)) return 'valueProvided'
      return op.ignoreLease && op.lease !== 0n ? 'leaseProvided' : undefined
    case 'deleteRange':
      return isEmpty(op.key) ? 'emptyKey' : undefined
    case 'txn':
      return checkTxn(op, max)
    case 'tooDeep':
      return 'tooManyOps'
    case 'empty':
      return 'keyNotFound'
  }
}

/** etcd 3.4 takes an unknown order for none, and crashes at an unknown target. */
function checkSort({ sortTarget }: RangeRequest): RefusalStatus | undefined {
  return sortTarget < 0 || sortTarget >= sortTargets ? 'invalidSortOption' : undefined
}

function isEmpty({ start, end }: Span): boolean {
  return start === end
}
