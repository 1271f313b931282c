/**
 * Transactions, as etcd runs them: first all compares, nested ones too, then all that could be refused, and only then
 * the operations, each of which sees what those before it did.
 */
import type { Memory } from '../machine/index.js'
import { assert } from '../raft/index.js'
import { AnswerRoom } from './answer-room.js'
import type { Status } from './border.js'
import { deleteRange, put, refusesPutInTxn } from './changes.js'
import type { Place } from './key-order.js'
import type { KeyValue } from './key-value.js'
import type { Leases } from './leases.js'
import { bytesOf, keyedBy, type Origin, placeOf, range, visitAt } from './ranges.js'
import type { Compare, RequestOp, TxnRequest } from './requests.js'
import type { ResponseOp, TxnResponse } from './responses.js'
import type { Store } from './store.js'

interface Running {
  readonly store: Store
  readonly leases: Leases
  readonly memory: Memory
  readonly origin: Origin
  readonly room: AnswerRoom
  /** The outcome of the compares of each transaction that runs. */
  readonly succeeded: Map<TxnRequest, boolean>
}

export function runTxn(
  store: Store,
  leases: Leases,
  memory: Memory,
  request: TxnRequest,
  origin: Origin,
): TxnResponse | Status {
  const room = new AnswerRoom()
  const running: Running = { store, leases, memory, origin, room, succeeded: new Map() }
  decide(running, request)
  // Compares of so many keys are too much work for a transaction that nobody needs.
  if (room.isOver) return 'tooManyOps'
  const refusal =
    firstRefusal(running, request, refusesPutOp) ?? firstRefusal(running, request, refusesRangeOp)
  if (refusal !== undefined) return refusal
  const response = perform(running, request)
  return room.isOver ? 'answerTooLarge' : response
}

function decide(running: Running, request: TxnRequest): void {
  running.succeeded.set(
    request,
    request.compare.every((compare) => isTrue(running, compare)),
  )
  for (const op of chosen(running, request)) if (op.type === 'txn') decide(running, op)
}

function chosen({ succeeded }: Running, request: TxnRequest): readonly RequestOp[] {
  return succeeded.get(request) ? request.success : request.failure
}

type Refusing = (running: Running, op: RequestOp) => Status | undefined

function firstRefusal(running: Running, request: TxnRequest, refuses: Refusing): Status | undefined {
  for (const op of chosen(running, request)) {
    const status = op.type === 'txn' ? firstRefusal(running, op, refuses) : refuses(running, op)
    if (status !== undefined) return status
  }
  return undefined
}

function refusesPutOp({ store, leases, memory }: Running, op: RequestOp): Status | undefined {
  return op.type === 'put' ? refusesPutInTxn(store, leases, memory, op) : undefined
}

/** Below 0, where a range alone reads the present, etcd compares the revision as it stands. */
function refusesRangeOp({ store }: Running, op: RequestOp): Status | undefined {
  if (op.type !== 'range' || op.revision === 0) return undefined
  if (op.revision > store.revision) return 'futureRevision'
  return op.revision < store.compactRevision ? 'compacted' : undefined
}

function perform(running: Running, request: TxnRequest): TxnResponse {
  const responses: ResponseOp[] = []
  for (const op of chosen(running, request)) {
    const response = performOp(running, op)
    // Each operation that could be refused was looked at before the first was done.
    assert(typeof response !== 'string', 'an operation of a transaction that runs is not refused')
    if (response !== undefined) responses.push(response)
  }
  return { type: 'txn', succeeded: running.succeeded.get(request) === true, responses }
}

function performOp(running: Running, op: RequestOp): ResponseOp | Status | undefined {
  const { store, memory, origin, room } = running
  switch (op.type) {
    case 'range':
      return range(store, memory, op, origin, room)
    case 'put':
      return put(store, memory, op)
    case 'deleteRange':
      return deleteRange(store, memory, op, room)
    case 'txn':
      return perform(running, op)
    default:
      return undefined
  }
}

const targets = { version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const
const results = { equal: 0, greater: 1, less: 2, notEqual: 3 } as const
const unionFields = { version: 4, create: 5, mod: 6, value: 7, lease: 8 } as const

/** A range must satisfy the compare with each of its keys. A key that is absent counts as zeros, and has no value. */
function isTrue({ store, memory, origin, room }: Running, compare: Compare): boolean {
  let isEmpty = true
  let holds = true
  visitAt(store, keyedBy(compare, memory, origin), store.revision, (ref) => {
    isEmpty = false
    holds = holdsFor(compare, memory, store.keyValueOf(ref), store.records.memoryOf(ref))
    return holds && room.take(0)
  })
  if (!isEmpty) return holds
  return compare.target !== targets.value && holdsFor(compare, memory, absent, memory)
}

const nothing = { start: 0, end: 0 }
const absent: KeyValue = {
  key: nothing,
  createRevision: 0,
  modRevision: 0,
  version: 0,
  value: nothing,
  lease: 0n,
}

function holdsFor(compare: Compare, memory: Memory, keyValue: KeyValue, own: Memory): boolean {
  const difference = differenceOf(compare, memory, keyValue, own)
  switch (compare.result) {
    case results.equal:
      return difference === 0
    case results.greater:
      return difference > 0
    case results.less:
      return difference < 0
    case results.notEqual:
      return difference !== 0
    default:
      return true
  }
}

function differenceOf(compare: Compare, memory: Memory, keyValue: KeyValue, own: Memory): number {
  const { target, unionField, number } = compare
  // The operand of another target than the compare's counts as none.
  switch (target) {
    case targets.version:
      return keyValue.version - (unionField === unionFields.version ? number : 0)
    case targets.create:
      return keyValue.createRevision - (unionField === unionFields.create ? number : 0)
    case targets.mod:
      return keyValue.modRevision - (unionField === unionFields.mod ? number : 0)
    case targets.value: {
      const operand = unionField === unionFields.value ? compare.value : nothing
      return Buffer.compare(bytesOf(valuePlace(keyValue, own)), bytesOf(placeOf(operand, memory)))
    }
    case targets.lease: {
      const operand = unionField === unionFields.lease ? compare.lease : 0n
      return keyValue.lease < operand ? -1 : Number(keyValue.lease > operand)
    }
    default:
      return 0
  }
}

function valuePlace({ value }: KeyValue, memory: Memory): Place {
  return placeOf(value, memory)
}
