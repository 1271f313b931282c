/** etcd's Lease service. */
import { randomBytes } from 'node:crypto'
import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js'
import { EtcdError } from '../errors.js'
import type { Member } from '../member.js'
import { Leaderless } from './leaderless.js'
import {
  admit,
  codecOf,
  definitionOf,
  fromLeader,
  refusalOf,
  replicate,
  type Service,
  unary,
  undecoded,
  withHeader,
} from './service.js'

const lease = definitionOf('etcdserverpb.Lease')
const definition = undecoded(lease)
const grants = codecOf<{ readonly TTL: string; readonly ID: string }>(lease, 'LeaseGrant')

/** Renewals of one stream that are not answered yet. Beyond them, a stream is not read. */
const renewalsMax = 1024

export function leaseService(member: Member, electionTimeoutMs: number): Service {
  const leaderless = new Leaderless(member, electionTimeoutMs)
  return {
    definition,
    implementation: {
      LeaseGrant: unary(member, async (request) => replicate(member, 'leaseGrant', withId(request))),
      LeaseRevoke: unary(member, (request) => replicate(member, 'leaseRevoke', request)),
      LeaseKeepAlive: keepAlive(member, leaderless),
      LeaseTimeToLive: unary(member, async (request) =>
        withHeader(member, await fromLeader(member, member.read('leaseTimeToLive', request))),
      ),
      LeaseLeases: unary(member, async (request) =>
        withHeader(member, await member.readLocal('leaseLeases', request)),
      ),
    },
  }
}

/** The server chooses the id of a lease for which the client has chosen none. */
function withId(request: Buffer): Buffer {
  const { TTL, ID } = grants.decode(request)
  return ID === '0' ? grants.encodeRequest({ TTL, ID: newLeaseId() }) : request
}

/** Any positive number of 63 bits. */
export function newLeaseId(): string {
  const random = BigInt.asUintN(63, randomBytes(8).readBigUInt64BE())
  return String(random === 0n ? 1n : random)
}

function keepAlive(member: Member, leaderless: Leaderless): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    const renewals = new Renewals(member, call)
    try {
      admit(member, call.metadata, () => false)
    } catch (error) {
      renewals.fail(error)
      return
    }
    if (call.metadata.get('hasleader')[0] === 'true')
      renewals.onEnd = leaderless.watch(() => renewals.fail(new EtcdError('noLeader')))
  }
}

/** The renewals of one stream: made at once, and answered in their order. The first that fails ends the stream. */
class Renewals {
  onEnd: () => void = () => undefined
  readonly #member: Member
  readonly #call: ServerDuplexStream<Buffer, Buffer>
  /** Settled once all requests so far are answered. */
  #answered = Promise.resolve()
  #waiting = 0
  #isOver = false

  constructor(member: Member, call: ServerDuplexStream<Buffer, Buffer>) {
    this.#member = member
    this.#call = call
    call.on('data', (request: Buffer) => this.#renew(request))
    call.on('drain', () => this.#readOn())
    call.on('end', () => this.#answered.then(() => this.#end(() => call.end())))
    call.on('cancelled', () => this.#end(() => undefined))
  }

  fail(error: unknown): void {
    this.#end(() => this.#call.emit('error', refusalOf(error)))
  }

  #renew(request: Buffer): void {
    if (this.#isOver) return
    this.#waiting++
    const renewed = fromLeader(this.#member, replicate(this.#member, 'leaseKeepAlive', request))
    const before = this.#answered
    this.#answered = renewed.then(
      (response) => before.then(() => this.#answer(response)),
      (error) => before.then(() => this.fail(error)),
    )
    this.#readOn()
  }

  #answer(response: Buffer): void {
    if (!this.#isOver) this.#call.write(response)
    this.#waiting--
    this.#readOn()
  }

  #end(tell: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    this.onEnd()
    tell()
  }

  #readOn(): void {
    if (this.#isOver || (this.#waiting < renewalsMax && !this.#call.writableNeedDrain)) this.#call.resume()
    else this.#call.pause()
  }
}
