/** The checks of a request that come before its proposal, as etcd has them. */
import { Memory } from '../machine/index.js'
import type { CommandOp, QueryOp, Status } from './border.js'
import { hasDuplicateKey } from './duplicate-keys.js'
import {
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

/** Operations of a transaction, those of nested transactions included. */
const opsMax = 128
/** Sort targets have the numbers below this one. */
const sortTargets = 5

export type CheckedOp = keyof typeof checks

/** The reason to refuse the request. `undefined`: a node may have it. */
export function checkRequest(op: CheckedOp, request: Uint8Array): Status | undefined {
  return checks[op](new Memory(request))
}

const checks = {
  put: (memory) => check(memory, readPut, checkOp),
  deleteRange: (memory) => check(memory, readDeleteRange, checkOp),
  txn: (memory) => check(memory, readTxn, (txn) => checkWholeTxn(txn, memory)),
  compact: (memory) => check(memory, readCompaction, () => undefined),
  range: (memory) => check(memory, readRange, checkOp),
  txnRange: (memory) => check(memory, readTxn, (txn) => checkWholeTxn(txn, memory)),
} as const satisfies Partial<Record<CommandOp | QueryOp, (memory: Memory) => Status | undefined>>

/** Whether a transaction only reads, so that it is a query. */
export function isReadOnlyTxn(request: Uint8Array): boolean {
  const txn = read(new Memory(request), readTxn)
  return txn !== undefined && isReadOnly(txn)
}

/** Whether the client takes an answer from this node's own state, however old it is. */
export function isSerializable(op: 'range' | 'txnRange', request: Uint8Array): boolean {
  const memory = new Memory(request)
  if (op === 'range') return read(memory, readRange)?.serializable === true
  const txn = read(memory, readTxn)
  return txn !== undefined && opsOf(txn).every((each) => each.type === 'range' && each.serializable)
}

export function isReadOnly(txn: TxnRequest): boolean {
  return opsOf(txn).every(({ type }) => type === 'range')
}

function opsOf({ success, failure }: TxnRequest): readonly RequestOp[] {
  return [...success, ...failure]
}

function read<Request>(memory: Memory, reading: (reader: Reader) => Request): Request | undefined {
  return readRequest(reading, memory, 0, memory.bytes.byteLength)
}

function check<Request>(
  memory: Memory,
  reading: (reader: Reader) => Request,
  checkRead: (request: Request) => Status | undefined,
): Status | undefined {
  const request = read(memory, reading)
  return request === undefined ? 'malformed' : checkRead(request)
}

function checkWholeTxn(txn: TxnRequest, memory: Memory): Status | undefined {
  return checkTxn(txn, opsMax) ?? (hasDuplicateKey(txn, memory) ? 'duplicateKey' : undefined)
}

function checkTxn({ compare, success, failure }: TxnRequest, max: number): Status | undefined {
  const count = Math.max(compare.length, success.length, failure.length)
  if (count > max) return 'tooManyOps'
  if (compare.some(({ key }) => isEmpty(key))) return 'emptyKey'
  for (const op of [...success, ...failure]) {
    const status = checkOp(op, max - count)
    if (status !== undefined) return status
  }
  return undefined
}

function checkOp(op: RequestOp, max = 0): Status | undefined {
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
function checkSort({ sortTarget }: RangeRequest): Status | undefined {
  return sortTarget < 0 || sortTarget >= sortTargets ? 'invalidSortOption' : undefined
}

function isEmpty({ start, end }: Span): boolean {
  return start === end
}
