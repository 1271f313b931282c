/** Methods that wait in their client's place, for locks and elections. */
import type { handleUnaryCall, ServerErrorResponse } from '@grpc/grpc-js'
import { codes } from '../errors.js'
import type { Member } from '../member.js'
import { admit, refusalOf } from './service.js'

/** A method of one request and one response. The signal is aborted when the client waits no more. */
export function waiting(
  member: Member,
  answer: (request: Buffer, signal: AbortSignal) => Promise<Buffer>,
): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const left = new AbortController()
    call.on('cancelled', () => left.abort())
    try {
      admit(member, call.metadata, () => false)
    } catch (error) {
      callback(refusalOf(error))
      return
    }
    answer(call.request, left.signal).then(
      (response) => callback(null, response),
      (error: unknown) => callback(unknown(error)),
    )
  }
}

/** etcd's locks and elections call their server as clients do: a refusal has etcd's text, but no code. */
export function unknown(error: unknown): Pick<ServerErrorResponse, 'code' | 'details'> {
  return { ...refusalOf(error), code: codes.unknown }
}
