/** A lean client of etcd's v3 API, for loads: requests are bytes, and so are the answers. */
import { Client, connectivityState, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { RaftError } from '../../errors/index.js'
import { Failed } from '../../terminal/index.js'
import type { Store } from '../calls.js'
import { getRequest, membersIn, putRequest, termOf, txnRequest } from './protobuf.js'

/** Connections over all servers: one takes a stream for each call, and servers bound those. */
const channelsMin = 8
/** Milliseconds in which a server answers, as it is met and as it is asked for a figure. */
const answerWithinMs = 5000

const methods = {
  put: '/etcdserverpb.KV/Put',
  range: '/etcdserverpb.KV/Range',
  txn: '/etcdserverpb.KV/Txn',
  memberList: '/etcdserverpb.Cluster/MemberList',
} as const

/** No request has metadata of its own. */
const metadata = new Metadata()
const asItIs = (bytes: Buffer): Buffer => bytes

export class EtcdClient implements Store {
  readonly #channels: readonly Client[]
  readonly #serverCount: number
  #next = 0

  /** `servers` are hosts with their ports. Nothing is connected before `meet`. */
  constructor(servers: readonly string[]) {
    this.#serverCount = servers.length
    const each = Math.ceil(channelsMin / servers.length)
    const all = Array.from({ length: each }, () => servers).flat()
    this.#channels = all.map(
      (server) =>
        new Client(server, credentials.createInsecure(), {
          // A load counts what fails: a call that is tried again in secret would count as a slow one.
          'grpc.enable_retries': 0,
          'grpc.use_local_subchannel_pool': 1,
          'grpc.service_config_disable_resolution': 1,
          'grpc.max_receive_message_length': -1,
        }),
    )
  }

  /** Resolves once each server has answered; rejects with a `Failed` that names the first that does not. */
  async meet(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => meet(channel)))
  }

  put(key: string | Uint8Array, value: string | Uint8Array): Promise<Buffer> {
    return this.#call(methods.put, putRequest(key, value))
  }

  /** Linearizable. */
  get(key: string | Uint8Array): Promise<Buffer> {
    return this.#call(methods.range, getRequest(key))
  }

  /** All the puts in one transaction; `puts` are whole requests. */
  putAll(puts: readonly Uint8Array[]): Promise<Buffer> {
    return this.#call(methods.txn, txnRequest(puts))
  }

  /** The term of the first server that tells it. `undefined`: none does. */
  async term(): Promise<number | undefined> {
    const answer = await this.#ask(methods.range, getRequest('term'))
    return answer && termOf(answer)
  }

  /** `undefined`: no server tells it. */
  async memberCount(): Promise<number | undefined> {
    const answer = await this.#ask(methods.memberList, Buffer.alloc(0))
    return answer && membersIn(answer)
  }

  /** Calls that wait are cancelled. */
  close(): void {
    for (const channel of this.#channels) channel.close()
  }

  /** Servers are called in turn. */
  #call(method: string, request: Buffer): Promise<Buffer> {
    return call(this.#nextChannel(), method, request)
  }

  /** Asks one server after the other, each once: a server that hangs or fails leaves the question to the next one. */
  async #ask(method: string, request: Buffer): Promise<Buffer | undefined> {
    for (let asked = 0; asked < this.#serverCount; asked++) {
      try {
        return await call(this.#nextChannel(), method, request, Date.now() + answerWithinMs)
      } catch {
        // The calls of the load tell of errors. The figure that is asked for here is unknown if no server tells it.
      }
    }
    return undefined
  }

  /** Neighbours among the channels lead to different servers. */
  #nextChannel(): Client {
    this.#next = (this.#next + 1) % this.#channels.length
    return this.#channels[this.#next]!
  }
}

function call(channel: Client, method: string, request: Buffer, deadline?: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    channel.makeUnaryRequest(
      method,
      asItIs,
      asItIs,
      request,
      metadata,
      deadline === undefined ? {} : { deadline },
      (error, answer) => {
        if (error !== null) reject(errorOf(error))
        else resolve(answer ?? Buffer.alloc(0))
      },
    )
  })
}

async function meet(channel: Client): Promise<void> {
  const address = channel.getChannel().getTarget().replace(/^dns:/, '')
  const deadline = Date.now() + answerWithinMs
  if (!(await isConnected(channel.getChannel(), deadline))) {
    throw new Failed(`--etcd: nothing speaks gRPC at http://${address}; name servers of etcd's API`)
  }
  try {
    await call(channel, methods.range, getRequest('ready'), deadline)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Failed(`--etcd: http://${address} does not answer as etcd does: ${why}`)
  }
}

/** False once a first try has failed, or at the deadline. */
async function isConnected(channel: ReturnType<Client['getChannel']>, deadline: number): Promise<boolean> {
  for (;;) {
    const state = channel.getConnectivityState(true)
    if (state === connectivityState.READY) return true
    if (state === connectivityState.TRANSIENT_FAILURE) return false
    const error = await new Promise<Error | undefined>((changed) =>
      channel.watchConnectivityState(state, deadline, changed),
    )
    if (error !== undefined) return false
  }
}

/** Whether a call may be made again. Any other error is a mistake, which each further call would meet. */
function errorOf({ code, details }: ServiceError): Error {
  switch (code) {
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    case status.UNKNOWN:
    case status.CANCELLED:
    case status.ABORTED:
    case status.INTERNAL:
      return new RaftError('UNKNOWN_OUTCOME', { why: details })
    case status.RESOURCE_EXHAUSTED:
      if (details.includes('too many requests')) return new RaftError('OVERLOADED', { what: details })
  }
  return new Failed(details)
}
