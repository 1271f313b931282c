/** Commands of etcd's API in words. */
import { Memory } from '../machine/index.js'
import {
  type CommandOp,
  mvccCommandOps,
  type Reader,
  type RequestOp,
  readCompaction,
  readDeleteRange,
  readGrant,
  readOfLease,
  readPut,
  readRequest,
  readTxn,
  type Span,
} from '../mvcc/index.js'
import { counted, decimal } from '../terminal/index.js'
import { hexOf, shortened } from './shortened.js'

/** Operations of a transaction that are shown. */
const shownOpsMax = 3

const names = new Map<number | undefined, CommandOp>(
  Object.entries(mvccCommandOps).map(([name, op]) => [op, name as CommandOp]),
)

/** `undefined`: the bytes begin with no operation of etcd's machine. A request that cannot be read is told as bytes. */
export function etcdInWords(bytes: Uint8Array): string | undefined {
  const name = names.get(bytes[0])
  if (name === undefined) return undefined
  return `etcd's ${name} ${requestInWords(name, bytes) ?? hexOf(bytes.subarray(1))}`
}

function requestInWords(name: CommandOp, bytes: Uint8Array): string | undefined {
  const memory = new Memory(bytes)
  const read = <Request>(reader: (reader: Reader) => Request) =>
    readRequest(reader, memory, 1, bytes.byteLength)
  switch (name) {
    case 'put':
      return wordsOf(read(readPut), bytes)
    case 'deleteRange':
      return wordsOf(read(readDeleteRange), bytes)
    case 'txn':
      return wordsOf(read(readTxn), bytes)
    case 'compact': {
      const request = read(readCompaction)
      return request && `to revision ${decimal(request.revision)}`
    }
    case 'leaseGrant': {
      const request = read(readGrant)
      return request && `${leaseOf(request.id)} for ${decimal(request.ttl)} s`
    }
    case 'leaseRevoke':
    case 'leaseKeepAlive': {
      const request = read(readOfLease)
      return request && leaseOf(request.id)
    }
    default:
      return undefined
  }
}

/** As etcdctl names a lease. */
function leaseOf(id: bigint): string {
  return `lease ${BigInt.asUintN(64, id).toString(16)}`
}

function wordsOf(op: RequestOp | undefined, bytes: Uint8Array): string | undefined {
  const textOf = ({ start, end }: Span) => shortened(bytes.subarray(start, end))
  switch (op?.type) {
    case 'put': {
      const value = op.ignoreValue ? '(the value stays)' : textOf(op.value)
      return `${textOf(op.key)} ${value}${op.lease === 0n ? '' : ` with ${leaseOf(op.lease)}`}`
    }
    case 'range':
    case 'deleteRange':
      return `${textOf(op.key)}${op.rangeEnd === undefined ? '' : ` to ${endOf(op.rangeEnd, bytes, textOf)}`}`
    case 'txn': {
      const comparisons = counted(op.compare.length, 'comparison')
      return `(${comparisons}) then ${opsInWords(op.success, bytes)}; else ${opsInWords(op.failure, bytes)}`
    }
    default:
      return undefined
  }
}

function opsInWords(ops: readonly RequestOp[], bytes: Uint8Array): string {
  if (ops.length === 0) return 'nothing'
  const shown = ops.slice(0, shownOpsMax).map((op) => `${op.type} ${wordsOf(op, bytes) ?? ''}`.trimEnd())
  const rest = ops.length - shown.length
  return [...shown, ...(rest === 0 ? [] : [`${rest} more`])].join(', ')
}

/** etcd takes a single zero byte for the end of all keys. */
function endOf(span: Span, bytes: Uint8Array, textOf: (span: Span) => string): string {
  return span.end - span.start === 1 && bytes[span.start] === 0 ? 'the last key' : textOf(span)
}
