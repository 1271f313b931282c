/** Clients that watch a member over gRPC, as tests read them. */
import { setTimeout as pause } from 'node:timers/promises'
import { type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js'
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader'
import { onTestFinished } from 'vitest'
import { protos } from '../../src/etcd/protos.js'
import { line, type ToldResponse } from './scripted-member.js'
import { type TestClient, until } from './support.js'

const { path, requestSerialize, responseDeserialize } = (protos['etcdserverpb.Watch'] as ServiceDefinition)[
  'Watch'
] as MethodDefinition<object, ToldResponse>

export const needsLeader = new Metadata()
needsLeader.set('hasleader', 'true')

/** A stream of watches. */
export class WatchCall {
  readonly told: ToldResponse[] = []
  /** How the stream ended. */
  error: ServiceError | undefined
  onTold: (told: ToldResponse) => void = () => undefined
  onError: (error: ServiceError) => void = () => undefined
  readonly #call: ClientDuplexStream<object, ToldResponse>

  constructor(client: TestClient, metadata = new Metadata()) {
    this.#call = client.grpc.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata)
    this.#call.on('data', (told: ToldResponse) => {
      this.told.push(told)
      this.onTold(told)
    })
    this.#call.on('error', (error: ServiceError) => {
      this.error = error
      this.onError(error)
    })
    onTestFinished(() => this.cancel())
  }

  /** Creates a watch. Resolves with the answer; rejects if the stream ends before. */
  async create(request: Readonly<Record<string, unknown>> & { readonly key: string }): Promise<ToldResponse> {
    const { key, rangeEnd = '', ...rest } = request
    const count = this.told.filter(({ created }) => created).length
    this.send({
      createRequest: { ...rest, key: Buffer.from(key), rangeEnd: Buffer.from(String(rangeEnd)) },
    })
    return until(() => {
      if (this.error !== undefined) throw this.error
      return this.told.filter(({ created }) => created)[count]
    })
  }

  send(request: object): void {
    this.#call.write(request)
  }

  /** The client reads no more, until it resumes. */
  pause(): void {
    this.#call.pause()
  }

  resume(): void {
    this.#call.resume()
  }

  cancel(): void {
    this.#call.cancel()
  }

  get lines(): string[] {
    return this.told.map(line)
  }

  /** Revisions of all events, in the order in which they came. */
  get revisions(): number[] {
    return this.told.flatMap(({ events }) => events.map(({ kv }) => Number(kv.modRevision)))
  }
}

/** A watch of all keys with a prefix that goes to the next member where its stream breaks, as clients do. */
export class LastingWatch {
  readonly revisions: number[] = []
  /** How often the stream broke. */
  breaks = 0
  readonly #clients: readonly TestClient[]
  #at: number
  #next = 0
  #isOver = false

  constructor(clients: readonly TestClient[], at: number) {
    this.#clients = clients
    this.#at = at
    onTestFinished(() => {
      this.#isOver = true
    })
  }

  /** Resolves once a stream watches. */
  begin(): Promise<unknown> {
    let next: Promise<unknown> | undefined
    const call = new WatchCall(this.#clients[this.#at % this.#clients.length]!)
    call.onTold = ({ header, created, events }) => {
      if (created && this.#next === 0) this.#next = Number(header.revision) + 1
      for (const { kv } of events) {
        this.revisions.push(Number(kv.modRevision))
        this.#next = Number(kv.modRevision) + 1
      }
    }
    call.onError = () => {
      if (this.#isOver) return
      this.breaks++
      this.#at++
      next = pause(20).then(() => this.begin())
    }
    return call.create({ key: 'k', rangeEnd: 'l', startRevision: this.#next }).catch(() => next)
  }
}
