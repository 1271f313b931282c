/** etcd's Election service: who holds the oldest key of an election leads. */
import { fieldOf } from '../../mvcc/index.js'
import type { Member } from '../member.js'
import { follow } from '../watch/following.js'
import { Holders, type KeyValue, leaseOf, range, txnIfCreated } from './key-calls.js'
import { codecOf, definitionOf, type Service, serverStream, undecoded } from './service.js'
import { waiting } from './waiting.js'

interface LeaderKey {
  readonly name: Buffer
  readonly key: Buffer
  readonly rev: string
  readonly lease: string
}

interface OfLeader {
  readonly leader?: LeaderKey | null
}

const election = definitionOf('v3electionpb.Election')
const definition = undecoded(election)
const campaigns = codecOf<{ readonly name: Buffer; readonly lease: string; readonly value: Buffer }>(
  election,
  'Campaign',
)
const proclaims = codecOf<OfLeader & { readonly value: Buffer }>(election, 'Proclaim')
const resigns = codecOf<OfLeader>(election, 'Resign')
/** Field `kv` of `LeaderResponse`. */
const leaderKv = 2
const leaders = codecOf<{ readonly name: Buffer }, { readonly kv: KeyValue }>(election, 'Leader')

export function electionService(member: Member): Service {
  return {
    definition,
    implementation: {
      Campaign: waiting(member, (request, signal) => campaign(member, request, signal)),
      Proclaim: waiting(member, async (request) => {
        const { leader, value } = proclaims.decode(request)
        return member.header(await proclaim(member, given(leader), value))
      }),
      Leader: waiting(member, async (request) => {
        const { revision, kvs } = await range(member, new Holders(member, leaders.decode(request).name).first)
        if (kvs[0] === undefined) throw new Error('election: no leader')
        return Buffer.concat([member.header(revision), leaders.encode({ kv: kvs[0] })])
      }),
      Observe: serverStream(member, (request, signal) =>
        observe(member, new Holders(member, leaders.decode(request).name), signal),
      ),
      Resign: waiting(member, async (request) =>
        member.header(await resign(member, given(resigns.decode(request).leader))),
      ),
    },
  }
}

function given(leader: LeaderKey | null | undefined): LeaderKey {
  if (!leader) throw new Error('"leader" field must be provided')
  return leader
}

async function campaign(member: Member, request: Buffer, signal: AbortSignal): Promise<Buffer> {
  const { name, value, ...of } = campaigns.decode(request)
  const lease = await leaseOf(member, of.lease)
  const holders = new Holders(member, name)
  const key = holders.keyOf(lease)
  const placed = await txnIfCreated(
    member,
    key,
    0,
    [{ requestPut: { key, value, lease } }],
    [{ requestRange: { key } }],
  )
  const own = placed.succeeded ? undefined : placed.responses[0]?.responseRange?.kvs[0]
  const leader: LeaderKey = { name, key, lease, rev: own?.createRevision ?? String(placed.revision) }
  let isPlaced = false
  try {
    if (own !== undefined && !own.value.equals(value)) await proclaim(member, leader, value)
    isPlaced = true
    await holders.waitForTurn(Number(leader.rev), signal)
  } catch (error) {
    // The key of a candidate that waits no more would be elected. A candidate that is there may campaign again.
    if (!isPlaced || signal.aborted) await resign(member, leader).catch(() => undefined)
    throw error
  }
  return Buffer.concat([member.header(placed.revision), campaigns.encode({ leader })])
}

async function proclaim(member: Member, { key, rev, ...of }: LeaderKey, value: Buffer): Promise<number> {
  const lease = await leaseOf(member, of.lease)
  const told = await txnIfCreated(member, key, rev, [{ requestPut: { key, value, lease } }], [])
  if (!told.succeeded) throw new Error('election: not leader')
  return told.revision
}

async function resign(member: Member, { key, rev, lease }: LeaderKey): Promise<number> {
  await leaseOf(member, lease)
  const resigned = await txnIfCreated(member, key, rev, [{ requestDeleteRange: { key } }], [])
  return resigned.revision
}

/** Whom the election follows: a key, as a revision had it. */
interface Elected {
  readonly key: string
  readonly revision: number
  readonly response: Buffer
}

/** The leader of the election, each time that it or its value changes. The newest is never left out. */
async function* observe(member: Member, holders: Holders, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for (;;) {
      const { revision, kvs } = await range(member, holders.first)
      const elected =
        kvs[0] === undefined
          ? await firstPut(member, holders, revision, signal)
          : electedBy(member, revision, kvs[0])
      if (elected === undefined) return
      yield elected.response
      yield* changesOf(member, elected, signal)
      if (signal.aborted) return
    }
  } catch {
    // etcd ends the stream without an error when its watch is lost.
  }
}

function electedBy(member: Member, revision: number, kv: KeyValue): Elected {
  const response = Buffer.concat([member.header(revision), leaders.encode({ kv })])
  return { key: kv.key.toString('latin1'), revision, response }
}

/** The first that is put where nobody leads. `undefined`: the client is gone. */
async function firstPut(
  member: Member,
  holders: Holders,
  from: number,
  signal: AbortSignal,
): Promise<Elected | undefined> {
  const { key, rangeEnd } = holders.range
  const watched = { key: key.toString('latin1'), end: rangeEnd.toString('latin1') }
  for await (const { events } of follow(member, watched, from, signal)) {
    const put = events.find(({ isDelete }) => !isDelete)
    if (put === undefined) continue
    const response = Buffer.concat([member.header(put.revision), fieldOf(leaderKv, put.kv)])
    return { key: put.key, revision: put.revision, response }
  }
  return undefined
}

/** The values that the leader's key is given, until the key is deleted. */
async function* changesOf(
  member: Member,
  { key, revision }: Elected,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for await (const { header, events } of follow(member, { key, end: undefined }, revision + 1, signal)) {
    for (const { isDelete, kv } of events) {
      if (isDelete) return
      yield Buffer.concat([header, fieldOf(leaderKv, kv)])
    }
  }
}
