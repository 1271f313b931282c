/** etcd's KV service. Requests stay in the bytes in which they came, on their way to the disks too. */
import { type Inspected, type InspectedOp, inspect } from '../../mvcc/index.js'
import { EtcdError } from '../errors.js'
import type { Member } from '../member.js'
import type { EtcdServer } from '../server.js'
import { definitionOf, replicate, type Service, unary, undecoded, withHeader } from './service.js'

const definition = undecoded(definitionOf('etcdserverpb.KV'))

function admitted(op: InspectedOp, request: Buffer): Inspected {
  const inspected = inspect(op, request)
  if (inspected.refusal !== undefined) throw new EtcdError(inspected.refusal)
  return inspected
}

export function kvService(member: Member, server: Pick<EtcdServer, 'tellWatches'>): Service {
  const write = (op: 'put' | 'deleteRange', request: Buffer): Promise<Buffer> => {
    admitted(op, request)
    return replicate(member, op, request)
  }
  const read = async (
    op: 'range' | 'txnRange',
    request: Buffer,
    isSerializable: boolean,
  ): Promise<Buffer> => {
    const served = isSerializable ? member.readLocal(op, request) : member.read(op, request)
    return withHeader(member, await served)
  }
  return {
    definition,
    implementation: {
      Range: unary(
        member,
        (request) => read('range', request, admitted('range', request).isSerializable),
        (request) => inspect('range', request).isSerializable,
      ),
      Put: unary(member, (request) => write('put', request)),
      DeleteRange: unary(member, (request) => write('deleteRange', request)),
      Txn: unary(member, (request) => {
        const { isQuery, isSerializable } = admitted('txn', request)
        return isQuery ? read('txnRange', request, isSerializable) : replicate(member, 'txn', request)
      }),
      Compact: unary(member, async (request) => {
        admitted('compact', request)
        await server.tellWatches()
        return replicate(member, 'compact', request)
      }),
    },
  }
}
