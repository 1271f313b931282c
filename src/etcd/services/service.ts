/** The common part of the API's services: which calls are admitted, how bytes become answers, and how an error is told. */
import { once } from 'node:events'
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  ServiceDefinition,
  StatusObject,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { CommandOp } from '../../mvcc/index.js'
import { codes, EtcdError } from '../errors.js'
import type { Member, Served } from '../member.js'
import { protos } from '../protos.js'

/** A service as `Server.addService` takes it. Requests and responses of each method are bytes. */
export interface Service {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
}

/** A service of the proto files, by its full name. */
export function definitionOf(name: string): ServiceDefinition {
  const definition = protos[name]
  if (definition === undefined || 'format' in definition)
    throw new Error(`no proto file has the service ${name}`)
  return definition as ServiceDefinition
}

const asItIs = (bytes: Buffer): Buffer => bytes

/** The same service with requests and responses left in the encoding in which they travel. */
export function undecoded(definition: ServiceDefinition): ServiceDefinition {
  const methods = Object.entries(definition).map(([name, method]) => [
    name,
    { ...method, requestDeserialize: asItIs, responseSerialize: asItIs },
  ])
  return Object.fromEntries(methods)
}

/** The messages of one method. Requests have all their fields, and 64-bit numbers are text. */
export interface Codec<Request, Response = object> {
  decode(request: Buffer): Request
  encodeRequest(request: object): Buffer
  decodeResponse(response: Buffer): Response
  encode(response: object): Buffer
}

export function codecOf<Request, Response = object>(
  definition: ServiceDefinition,
  name: string,
): Codec<Request, Response> {
  const method = definition[name]
  if (method === undefined) throw new Error(`the service has no method ${name}`)
  return {
    decode(request) {
      try {
        return method.requestDeserialize(request)
      } catch (cause) {
        throw new EtcdError('malformed', { cause })
      }
    },
    encodeRequest: method.requestSerialize,
    decodeResponse: method.responseDeserialize,
    encode: method.responseSerialize,
  }
}

/** A learner serves `Status` and serializable ranges. A client that asks for a leader is refused while there is none. */
export function admit(member: Member, metadata: Metadata, learnerServes: () => boolean): void {
  if (member.isLearner && !learnerServes()) throw new EtcdError('notSupportedForLearner')
  // Few calls ask for a leader, and only those need a look.
  if (metadata.get('hasleader')[0] === 'true' && member.look().leaderId === undefined)
    throw new EtcdError('noLeader')
}

const never = (): boolean => false

/** A method of one request and one response. A refusal is thrown. */
export function unary(
  member: Member,
  answer: (request: Buffer) => Promise<Buffer>,
  learnerServes: (request: Buffer) => boolean = never,
): handleUnaryCall<Buffer, Buffer> {
  return ({ request, metadata }, callback) => {
    try {
      admit(member, metadata, () => learnerServes(request))
      answer(request).then(
        (response) => callback(null, response),
        (error: unknown) => callback(refusalOf(error)),
      )
    } catch (error) {
      callback(refusalOf(error))
    }
  }
}

/** A method of one request and many responses, which leave as fast as the client reads. A refusal is thrown. */
export function serverStream(
  member: Member,
  answer: (request: Buffer, signal: AbortSignal) => AsyncIterable<Buffer>,
): handleServerStreamingCall<Buffer, Buffer> {
  return (call) => {
    const left = new AbortController()
    call.on('cancelled', () => left.abort())
    const serve = async (): Promise<void> => {
      admit(member, call.metadata, never)
      for await (const response of answer(call.request, left.signal)) {
        if (left.signal.aborted) return
        if (!call.write(response)) await once(call, 'drain', { signal: left.signal })
      }
    }
    serve().then(
      () => call.end(),
      (error: unknown) => {
        if (!left.signal.aborted) call.emit('error', refusalOf(error))
      },
    )
  }
}

/** A response with the header that etcd puts in it. */
export function withHeader(member: Member, { revision, body }: Served): Buffer {
  const header = member.header(revision)
  return body.length === 0 ? header : Buffer.concat([header, body])
}

/** Replicates a command, and answers as the machine did. */
export async function replicate(member: Member, op: CommandOp, request: Buffer): Promise<Buffer> {
  return withHeader(member, await member.propose(op, request))
}

/**
 * Waits for an answer for which etcd's member turns to its leader. A member that knows of no leader when the time of the
 * call is over says so, and clients that asked for a leader give up.
 */
export async function fromLeader<Answer>(member: Member, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    const isLate = error instanceof EtcdError && error.reason === 'timeout'
    if (!isLate || member.look().leaderId !== undefined) throw error
    throw new EtcdError('noLeader', { cause: error })
  }
}

/** How gRPC tells a client of an error. An error that is not etcd's is told by the first line of its message. */
export function refusalOf(error: unknown): Pick<StatusObject, 'code' | 'details'> {
  if (error instanceof EtcdError) return { code: error.code, details: error.details }
  const [line = ''] = String(error instanceof Error ? error.message : error).split('\n', 1)
  return { code: codes.unknown, details: line }
}
