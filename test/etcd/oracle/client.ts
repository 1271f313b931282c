/** A client for every etcd: it tells what the server answered, field by field, and never retries. */
import {
  type CallOptions,
  Client,
  type ClientDuplexStream,
  credentials,
  type ServiceError,
} from '@grpc/grpc-js'
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader'
import { protos } from '../../../src/etcd/protos.js'

/** A message as `protos` tells it: names in camelCase, 64-bit numbers as text. */
export type Message = Readonly<Record<string, unknown>>

export type Answer = { readonly response: Message } | { readonly code: number; readonly details: string }

/** No call of the oracle takes this long, so a server that is silent is found out, also on a machine that stands still. */
const defaultTimeoutMs = 120_000

/** `KV/Range` is the method `Range` of `etcdserverpb.KV`. */
function methodOf(name: string): MethodDefinition<Message, Message> {
  const [service = '', method = ''] = name.split('/')
  const found = (protos[`etcdserverpb.${service}`] as ServiceDefinition | undefined)?.[method]
  if (found === undefined) throw new Error(`there is no method ${name}`)
  return found as MethodDefinition<Message, Message>
}

export function encode(name: string, request: Message): Buffer {
  return methodOf(name).requestSerialize(request)
}

export class EtcdClient {
  readonly #client: Client
  readonly #timeoutMs: number

  constructor(endpoint: string, timeoutMs = defaultTimeoutMs) {
    this.#timeoutMs = timeoutMs
    this.#client = new Client(endpoint, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      // Two clients of one endpoint would share a connection, and with it each other's state.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 20,
      'grpc.max_reconnect_backoff_ms': 100,
    })
  }

  /** `request` is the encoded message, which need not be a valid one. */
  call(name: string, request: Buffer): Promise<Answer> {
    const { path, responseDeserialize } = methodOf(name)
    const deadline = Date.now() + this.#timeoutMs
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest<Buffer, Message>(
        path,
        (bytes) => bytes,
        responseDeserialize,
        request,
        { deadline },
        (error, response) => resolve(error === null ? { response: response as Message } : refusalOf(error)),
      )
    })
  }

  stream(name: string, options: CallOptions = {}): ClientDuplexStream<Message, Message> {
    const { path, requestSerialize, responseDeserialize } = methodOf(name)
    return this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, options)
  }

  /** Sends one request on a stream of its own, and takes the first answer. */
  ask(name: string, request: Message): Promise<Answer> {
    const stream = this.stream(name, { deadline: Date.now() + this.#timeoutMs })
    return new Promise((resolve) => {
      stream.once('data', (response: Message) => {
        resolve({ response })
        stream.end()
      })
      stream.on('error', (error: ServiceError) => resolve(refusalOf(error)))
      stream.write(request)
    })
  }

  close(): void {
    this.#client.close()
  }
}

export function refusalOf({ code, details }: ServiceError): Answer {
  return { code, details }
}
