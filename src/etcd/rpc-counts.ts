/** Counts of a member's calls, by method, through gRPC and JSON alike: as gRPC's own metrics count them. */
import type { MethodDefinition, ServiceDefinition, UntypedHandleCall } from '@grpc/grpc-js'
import type { Metric, Sample } from '../metrics/index.js'
import type { Service } from './services/service.js'

interface MethodCounts {
  readonly labels: Readonly<Record<'grpc_type' | 'grpc_service' | 'grpc_method', string>>
  started: number
  /** Calls that ended, by the code of gRPC. */
  readonly handled: Map<number, number>
  received: number
  sent: number
}

/** Handlers of gRPC, as far as they are needed to count. Requests and responses are bytes. */
type Unary = (call: { readonly request: Buffer }, callback: Callback) => void
type Callback = (
  error: { readonly code?: number } | null,
  response?: Buffer,
  ...more: readonly unknown[]
) => void
type Stream = (call: NodeJS.EventEmitter) => void

const codeNames = [
  ...['OK', 'Canceled', 'Unknown', 'InvalidArgument', 'DeadlineExceeded', 'NotFound', 'AlreadyExists'],
  ...[
    'PermissionDenied',
    'ResourceExhausted',
    'FailedPrecondition',
    'Aborted',
    'OutOfRange',
    'Unimplemented',
  ],
  ...['Internal', 'Unavailable', 'DataLoss', 'Unauthenticated'],
]

export class RpcCounts {
  readonly #methods: MethodCounts[] = []
  #receivedBytes = 0
  #sentBytes = 0

  /** The same service, with its calls counted. */
  counted({ definition, implementation }: Service): Service {
    const counted: Record<string, MethodDefinition<unknown, unknown>> = {}
    const handlers: Record<string, UntypedHandleCall> = {}
    for (const [name, method] of Object.entries(definition)) {
      const handler = implementation[name]
      if (handler === undefined) continue
      const counts = countsOf(method.path, typeOf(method))
      this.#methods.push(counts)
      const isUnary = counts.labels.grpc_type === 'unary'
      counted[name] = isUnary ? method : this.#definition(method, counts)
      handlers[name] = (
        isUnary
          ? this.#unary(handler as unknown as Unary, counts)
          : stream(handler as unknown as Stream, counts)
      ) as UntypedHandleCall
    }
    return { definition: counted as ServiceDefinition, implementation: handlers }
  }

  #unary(handler: Unary, counts: MethodCounts): Unary {
    return (call, callback) => {
      counts.started++
      counts.received++
      this.#receivedBytes += call.request.byteLength
      handler(call, (error, response, ...more) => {
        ended(counts, error === null ? 0 : error.code)
        if (error === null && response !== undefined) {
          counts.sent++
          this.#sentBytes += response.byteLength
        }
        callback(error, response, ...more)
      })
    }
  }

  /** Messages of a stream are counted on their way to and from bytes. */
  #definition(method: MethodDefinition<unknown, unknown>, counts: MethodCounts): typeof method {
    return {
      ...method,
      requestDeserialize: (bytes) => {
        counts.received++
        this.#receivedBytes += bytes.byteLength
        return method.requestDeserialize(bytes)
      },
      responseSerialize: (message) => {
        const bytes = method.responseSerialize(message)
        counts.sent++
        this.#sentBytes += bytes.byteLength
        return bytes
      },
    }
  }

  readonly metrics: readonly Metric[] = [
    this.#ofMethods('grpc_server_started_total', 'Calls that began.', ({ started }) => started),
    {
      ...{ name: 'grpc_server_handled_total', type: 'counter', help: 'Calls that ended, by their code.' },
      labels: ['grpc_type', 'grpc_service', 'grpc_method', 'grpc_code'],
      samples: () =>
        this.#methods.flatMap(({ labels, handled }) =>
          // A dashboard has the share of failures before there is one.
          [...(handled.has(0) ? handled : [...handled, [0, 0] as const])].map(([code, value]) => ({
            labels: { ...labels, grpc_code: codeNames[code] ?? 'Unknown' },
            value,
          })),
        ),
    },
    this.#ofMethods('grpc_server_msg_received_total', 'Requests that came.', ({ received }) => received),
    this.#ofMethods('grpc_server_msg_sent_total', 'Responses that were given.', ({ sent }) => sent),
    counter(
      'etcd_network_client_grpc_received_bytes_total',
      'Bytes of the requests of clients.',
      () => this.#receivedBytes,
    ),
    counter(
      'etcd_network_client_grpc_sent_bytes_total',
      'Bytes of the responses to clients.',
      () => this.#sentBytes,
    ),
  ]

  #ofMethods(name: string, help: string, value: (counts: MethodCounts) => number): Metric {
    return {
      ...{ name, type: 'counter', help, labels: ['grpc_type', 'grpc_service', 'grpc_method'] },
      samples: () => this.#methods.map((counts): Sample => ({ labels: counts.labels, value: value(counts) })),
    }
  }
}

function counter(name: string, help: string, value: () => number): Metric {
  return { name, type: 'counter', help, labels: [], samples: () => [{ labels: {}, value: value() }] }
}

function typeOf({ requestStream, responseStream }: MethodDefinition<unknown, unknown>): string {
  if (requestStream) return responseStream ? 'bidi_stream' : 'client_stream'
  return responseStream ? 'server_stream' : 'unary'
}

function countsOf(path: string, type: string): MethodCounts {
  const [, service = '', method = ''] = path.split('/')
  const labels = { grpc_type: type, grpc_service: service, grpc_method: method }
  return { labels, started: 0, handled: new Map(), received: 0, sent: 0 }
}

function stream(handler: Stream, counts: MethodCounts): Stream {
  return (call) => {
    counts.started++
    countEnd(call, counts)
    handler(call)
  }
}

/** A stream ends by its last response, by an error before it, or since its client left. */
function countEnd(call: NodeJS.EventEmitter, counts: MethodCounts): void {
  let code: number | undefined = 0
  let isOver = false
  const over = (): void => {
    if (!isOver) ended(counts, code)
    isOver = true
  }
  call.on('error', (error: { readonly code?: number }) => {
    code = error.code
  })
  call.on('finish', over)
  call.on('cancelled', () => {
    code = 1
    over()
  })
}

function ended({ handled }: MethodCounts, code = 2): void {
  handled.set(code, (handled.get(code) ?? 0) + 1)
}
