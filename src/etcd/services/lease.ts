/** etcd's Lease service. */
import { randomBytes } from 'node:crypto'
import type { handleBidiStreamingCall } from '@grpc/grpc-js'
import { EtcdError } from '../errors.js'
import type { Member } from '../member.js'
import { Leaderless } from './leaderless.js'
import {
  admit,
  codecOf,
  definitionOf,
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
        withHeader(member, await member.read('leaseTimeToLive', request)),
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

/** Renewals of one stream are made at once, and answered in their order. The first that fails ends the stream. */
function keepAlive(member: Member, leaderless: Leaderless): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    let answered = Promise.resolve()
    let waiting = 0
    let isOver = false
    const fail = (error: unknown): void => {
      if (isOver) return
      isOver = true
      forget?.()
      if (!call.cancelled) call.emit('error', refusalOf(error))
    }
    const readOn = (): void => {
      if (isOver || (waiting < renewalsMax && !call.writableNeedDrain)) call.resume()
      else call.pause()
    }
    const serve = (request: Buffer): void => {
      if (isOver) return
      waiting++
      const renewed = replicate(member, 'leaseKeepAlive', request)
      // A failure is told in its turn, below.
      renewed.catch(() => undefined)
      answered = answered.then(async () => {
        const response = await renewed
        if (!isOver) call.write(response)
        waiting--
        readOn()
      })
      answered.catch(fail)
      readOn()
    }
    const missesLeader = call.metadata.get('hasleader')[0] === 'true'
    const forget = missesLeader ? leaderless.watch(() => fail(new EtcdError('noLeader'))) : undefined
    const end = (): void => {
      forget?.()
      if (!isOver) call.end()
    }
    call.on('data', serve).on('drain', readOn)
    call.on('end', () => answered.then(end, fail))
    call.on('cancelled', () => fail(undefined))
    try {
      admit(member, call.metadata, () => false)
    } catch (error) {
      fail(error)
    }
  }
}
