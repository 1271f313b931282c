/** etcd's KV service. Requests stay in the bytes in which they came, on their way to the disks too. */
import { checkRequest, isReadOnlyTxn, isSerializable } from '../../mvcc/index.js'
import { EtcdError } from '../errors.js'
import type { Member } from '../member.js'
import { definitionOf, replicate, type Service, unary, undecoded, withHeader } from './service.js'

const definition = undecoded(definitionOf('etcdserverpb.KV'))

type Command = 'put' | 'deleteRange' | 'txn' | 'compact'
type Query = 'range' | 'txnRange'

function check(op: Command | Query, request: Buffer): void {
  const status = checkRequest(op, request)
  if (status !== undefined && status !== 'ok') throw new EtcdError(status)
}

export function kvService(member: Member): Service {
  const write = (op: Command, request: Buffer): Promise<Buffer> => {
    check(op, request)
    return replicate(member, op, request)
  }
  const read = async (op: Query, request: Buffer): Promise<Buffer> => {
    check(op, request)
    const served = isSerializable(op, request) ? member.readLocal(op, request) : member.read(op, request)
    return withHeader(member, await served)
  }
  return {
    definition,
    implementation: {
      Range: unary(
        member,
        (request) => read('range', request),
        (request) => isSerializable('range', request),
      ),
      Put: unary(member, (request) => write('put', request)),
      DeleteRange: unary(member, (request) => write('deleteRange', request)),
      // A transaction that only reads leaves no entry in the log.
      Txn: unary(member, (request) =>
        isReadOnlyTxn(request) ? read('txnRange', request) : write('txn', request),
      ),
      Compact: unary(member, (request) => write('compact', request)),
    },
  }
}
