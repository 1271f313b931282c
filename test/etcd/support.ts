/** Shared by the tests of etcd's API: a cluster that speaks it, and clients that call it. */
import {
  type ClientOptions,
  credentials,
  Client as GrpcClient,
  type Metadata,
  type ServiceError,
} from '@grpc/grpc-js'
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader'
import { onTestFinished } from 'vitest'
import { type Etcd, type EtcdOptions, startEtcd } from '../../src/etcd/index.js'
import { protos } from '../../src/etcd/protos.js'

export async function startedEtcd(options: EtcdOptions = {}): Promise<Etcd> {
  const etcd = await startEtcd(options)
  onTestFinished(() => etcd.close())
  return etcd
}

type Message = Record<string, unknown>

/** A client of one address, for calls of one request and one answer. */
export class TestClient {
  readonly grpc: GrpcClient

  constructor(endpoint: string, options: ClientOptions = {}) {
    this.grpc = new GrpcClient(new URL(endpoint).host, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 20,
      'grpc.max_reconnect_backoff_ms': 100,
      ...options,
    })
    onTestFinished(() => this.grpc.close())
  }

  /** `method` as in `etcdserverpb.KV/Put`. */
  call(method: string, request: Message, metadata?: Metadata): Promise<Message> {
    const [service = '', name = ''] = method.split('/')
    const definition = (protos[service] as ServiceDefinition)[name] as MethodDefinition<object, object>
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: object): void =>
        error === null ? resolve(answer as Message) : reject(error)
      const { path, requestSerialize, responseDeserialize } = definition
      if (metadata === undefined)
        this.grpc.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, done)
      else this.grpc.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, done)
    })
  }

  put(key: string, value: string | Buffer): Promise<Message> {
    return this.call('etcdserverpb.KV/Put', { key: Buffer.from(key), value: Buffer.from(value) })
  }

  async get(key: string): Promise<string | undefined> {
    const { kvs } = await this.call('etcdserverpb.KV/Range', { key: Buffer.from(key) })
    const [first] = kvs as { value: Buffer }[]
    return first?.value.toString()
  }
}

/** Resolves with what `look` gives, once it gives something. */
export async function until<Found>(look: () => Found | Promise<Found>): Promise<NonNullable<Found>> {
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== null && found !== false) return found
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
