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

interface OfLease {
  readonly ID: string
}

const lease = definitionOf('etcdserverpb.Lease')
const definition = undecoded(lease)
const grants = codecOf<OfLease & { readonly TTL: string }>(lease, 'LeaseGrant')
const renewals = codecOf<OfLease>(lease, 'LeaseKeepAlive')
const lookups = codecOf<OfLease>(lease, 'LeaseTimeToLive')

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
      LeaseTimeToLive: unary(member, (request) => timeToLive(member, request)),
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

/** A lease that is not there has a time to live of -1. */
async function timeToLive(member: Member, request: Buffer): Promise<Buffer> {
  const { ID } = lookups.decode(request)
  const served = await unlessGone(member, member.read('leaseTimeToLive', request))
  return served ?? Buffer.concat([await currentHeader(member), lookups.encode({ ID, TTL: -1 })])
}

/** A renewal of a lease that is not there is answered with a time to live of 0. */
async function renew(member: Member, request: Buffer): Promise<Buffer> {
  const { ID } = renewals.decode(request)
  const served = await unlessGone(member, member.propose('leaseKeepAlive', request))
  return served ?? Buffer.concat([await currentHeader(member), renewals.encode({ ID })])
}

/** `undefined`: there is no such lease. */
async function unlessGone(member: Member, served: ReturnType<Member['read']>): Promise<Buffer | undefined> {
  try {
    return withHeader(member, await served)
  } catch (error) {
    if (error instanceof EtcdError && error.reason === 'leaseNotFound') return undefined
    throw error
  }
}

async function currentHeader(member: Member): Promise<Buffer> {
  const { revision } = await member.readLocal('figures', Buffer.alloc(0))
  return member.header(revision)
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
      const renewed = renew(member, request)
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
