/** etcd's KV service. Requests stay in the bytes in which they came, on their way to the disks too. */
import type { CommandOp, QueryOp } from '../../mvcc/index.js'
import { EtcdError } from '../errors.js'
import type { Member } from '../member.js'
import { checkRequest, type RequestFacts } from './check.js'
import { definitionOf, replicate, type Service, unary, undecoded, withHeader } from './service.js'

const definition = undecoded(definitionOf('etcdserverpb.KV'))

/** What a request is, once it is found to be well-formed. */
function checked(op: CommandOp | QueryOp, request: Buffer): RequestFacts {
  const facts = checkRequest(op, request)
  if (facts.status !== 'ok') throw new EtcdError(facts.status)
  return facts
}

export function kvService(member: Member): Service {
  const write = async (op: CommandOp, request: Buffer): Promise<Buffer> => {
    checked(op, request)
    return replicate(member, op, request)
  }
  const read = async (op: QueryOp, request: Buffer, { serializable }: RequestFacts): Promise<Buffer> =>
    withHeader(member, await (serializable ? member.readLocal(op, request) : member.read(op, request)))

  return {
    definition,
    implementation: {
      Range: unary(
        member,
        async (request) => read('range', request, checked('range', request)),
        (request) => checkRequest('range', request).serializable,
      ),
      Put: unary(member, (request) => write('put', request)),
      DeleteRange: unary(member, (request) => write('deleteRange', request)),
      // A transaction that only reads leaves no entry in the log.
      Txn: unary(member, async (request) => {
        const facts = checked('txn', request)
        return facts.readOnly ? read('txnRange', request, facts) : replicate(member, 'txn', request)
      }),
      Compact: unary(member, (request) => write('compact', request)),
    },
  }
}
