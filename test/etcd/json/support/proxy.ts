/** Services that ask an etcd by gRPC: the gateway in front of them should say what etcd's own gateway says. */
import {
  type Client,
  credentials,
  type Metadata,
  makeGenericClientConstructor,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { GatewayOptions } from '../../../../src/etcd/json/gateway.js'
import { protos } from '../../../../src/etcd/protos.js'

type Methods = Record<string, (...args: readonly unknown[]) => Stream>
interface Stream extends NodeJS.ReadWriteStream {
  cancel(): void
}
interface Call extends Stream {
  readonly request: unknown
  readonly metadata: Metadata
  end(): this
}

export interface EtcdProxy extends Disposable {
  readonly services: GatewayOptions['services']
}

export function proxyOf(address: string): EtcdProxy {
  const clients: Client[] = []
  const services = Object.values(protos).flatMap((definition) => {
    if ('format' in definition) return []
    const service = undecoded(definition as ServiceDefinition)
    const client = new (makeGenericClientConstructor(service, ''))(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
    })
    clients.push(client)
    return [{ definition: service, implementation: implementationOf(service, client as unknown as Methods) }]
  })
  return {
    services,
    [Symbol.dispose]() {
      for (const client of clients) client.close()
    },
  }
}

const asItIs = (bytes: Buffer): Buffer => bytes

/** Encoding a message anew would write fields that were left out, and etcd tells the two apart. */
function undecoded(service: ServiceDefinition): ServiceDefinition {
  const inBytes = {
    ...{ requestSerialize: asItIs, requestDeserialize: asItIs },
    ...{ responseSerialize: asItIs, responseDeserialize: asItIs },
  }
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [name, { ...method, ...inBytes }]),
  )
}

function implementationOf(service: ServiceDefinition, client: Methods): UntypedServiceImplementation {
  const handlers = Object.entries(service).map(([name, { requestStream, responseStream }]) => {
    const ask = client[name]!.bind(client)
    const unary = (call: Call, callback: unknown) => void ask(call.request, call.metadata, callback)
    const stream = (call: Call) => {
      const asked = requestStream ? ask(call.metadata) : ask(call.request, call.metadata)
      call.on('cancelled', () => asked.cancel())
      asked.on('error', (error) => call.emit('error', error))
      asked.on(
        'data',
        (message) => void (call as unknown as { write(message: unknown): void }).write(message),
      )
      asked.on('end', () => void call.end())
      if (requestStream) call.pipe(asked)
    }
    return [name, responseStream ? stream : unary]
  })
  return Object.fromEntries(handlers) as UntypedServiceImplementation
}
