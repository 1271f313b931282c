/** Responses to operations, kept as references to records until they are written. Headers are those within a `TxnResponse`. */
import { valueFieldBytes } from './key-value.js'
import { bodyOf, type Ref } from './records.js'
import type { Store } from './store.js'
import { bytesFieldBytes, type Measured, numberFieldBytes, type Writer } from './wire.js'

export interface RangeResponse {
  readonly type: 'range'
  readonly revision: number
  readonly kvs: readonly Ref[]
  readonly keysOnly: boolean
  readonly more: boolean
  readonly count: number
}

export interface PutResponse {
  readonly type: 'put'
  readonly revision: number
  /** 0: there is none, or nobody asked. */
  readonly prevKv: Ref
}

export interface DeleteRangeResponse {
  readonly type: 'deleteRange'
  readonly revision: number
  readonly deleted: number
  readonly prevKvs: readonly Ref[]
}

export interface TxnResponse {
  readonly type: 'txn'
  readonly succeeded: boolean
  readonly responses: readonly ResponseOp[]
}

export type ResponseOp = RangeResponse | PutResponse | DeleteRangeResponse | TxnResponse

/** Fields of a `ResponseOp`. */
const opFields = { range: 1, put: 2, deleteRange: 3, txn: 4 } as const
const headerField = 1
const revisionField = 3

export function messageOfResponse(store: Store, response: ResponseOp): Measured {
  switch (response.type) {
    case 'range':
      return rangeMessage(store, response)
    case 'put': {
      const kv = response.prevKv
      const length = kv === 0 ? 0 : bytesFieldBytes(store.records.lengthOf(kv))
      return { length, write: (writer) => kv !== 0 && writeKeyValue(store, writer, 2, kv) }
    }
    case 'deleteRange': {
      const { deleted, prevKvs } = response
      return {
        length: numberFieldBytes(deleted) + keyValuesBytes(store, prevKvs),
        write: (writer) => {
          writer.numberField(2, deleted)
          for (const kv of prevKvs) writeKeyValue(store, writer, 3, kv)
        },
      }
    }
    case 'txn':
      return txnMessage(store, response)
  }
}

function rangeMessage(store: Store, { kvs, keysOnly, more, count }: RangeResponse): Measured {
  const kvsBytes = keysOnly
    ? kvs.reduce((sum, kv) => sum + bytesFieldBytes(keyOnlyBytes(store, kv)), 0)
    : keyValuesBytes(store, kvs)
  return {
    length: kvsBytes + numberFieldBytes(Number(more)) + numberFieldBytes(count),
    write: (writer) => {
      for (const kv of kvs)
        keysOnly ? writeKeyOnly(store, writer, 2, kv) : writeKeyValue(store, writer, 2, kv)
      writer.boolField(3, more)
      writer.numberField(4, count)
    },
  }
}

function txnMessage(store: Store, { succeeded, responses }: TxnResponse): Measured {
  const ops = responses.map((response) => opMessage(store, response))
  return {
    length: ops.reduce(
      (sum, { length }) => sum + bytesFieldBytes(length),
      numberFieldBytes(Number(succeeded)),
    ),
    write: (writer) => {
      writer.boolField(2, succeeded)
      for (const op of ops) {
        writer.bytesHead(3, op.length)
        op.write(writer)
      }
    },
  }
}

/** A `ResponseOp`: the response with a header that has a revision, except for that of a nested transaction. */
function opMessage(store: Store, response: ResponseOp): Measured {
  const message = messageOfResponse(store, response)
  const revision = response.type === 'txn' ? 0 : response.revision
  const headerBytes = numberFieldBytes(revision)
  const length = bytesFieldBytes(headerBytes) + message.length
  return {
    length: bytesFieldBytes(length),
    write: (writer) => {
      writer.bytesHead(opFields[response.type], length)
      writer.bytesHead(headerField, headerBytes)
      writer.numberField(revisionField, revision)
      message.write(writer)
    },
  }
}

function keyValuesBytes({ records }: Store, kvs: readonly Ref[]): number {
  return kvs.reduce((sum, kv) => sum + bytesFieldBytes(records.lengthOf(kv)), 0)
}

function writeKeyValue({ records }: Store, writer: Writer, field: number, kv: Ref): void {
  const length = records.lengthOf(kv)
  const body = bodyOf(kv)
  writer.bytesHead(field, length)
  writer.bytes(records.memoryOf(kv), body, body + length)
}

function keyOnlyBytes(store: Store, kv: Ref): number {
  return store.records.lengthOf(kv) - valueFieldBytes(store.keyValueOf(kv))
}

function writeKeyOnly(store: Store, writer: Writer, field: number, kv: Ref): void {
  const { records } = store
  const memory = records.memoryOf(kv)
  const body = bodyOf(kv)
  const end = body + records.lengthOf(kv)
  const keyValue = store.keyValueOf(kv)
  const omitted = valueFieldBytes(keyValue)
  writer.bytesHead(field, end - body - omitted)
  // Without a value there is nothing to leave out, and no place of a value.
  const valueEnd = omitted === 0 ? end : keyValue.value.end
  writer.bytes(memory, body, valueEnd - omitted)
  writer.bytes(memory, valueEnd, end)
}
