/** etcd's Lock service: the server waits in its client's place. */
import type { Member } from '../member.js'
import { deleteKey, Holders, leaseOf, txnIfCreated } from './key-calls.js'
import { codecOf, definitionOf, type Service, undecoded } from './service.js'
import { waiting } from './waiting.js'

const lock = definitionOf('v3lockpb.Lock')
const definition = undecoded(lock)
const locks = codecOf<{ readonly name: Buffer; readonly lease: string }>(lock, 'Lock')
const unlocks = codecOf<{ readonly key: Buffer }>(lock, 'Unlock')

export function lockService(member: Member): Service {
  return {
    definition,
    implementation: {
      Lock: waiting(member, async (request, signal) => {
        const { name, lease } = locks.decode(request)
        const { key, revision } = await acquire(member, name, await leaseOf(member, lease), signal)
        return Buffer.concat([member.header(revision), locks.encode({ key })])
      }),
      Unlock: waiting(member, async (request) =>
        member.header(await deleteKey(member, unlocks.decode(request).key)),
      ),
    },
  }
}

/** The oldest key of the lock holds it. A lease that has a key already keeps its place. */
async function acquire(
  member: Member,
  name: Uint8Array,
  lease: string,
  signal: AbortSignal,
): Promise<{ readonly key: Buffer; readonly revision: number }> {
  const holders = new Holders(member, name)
  const key = holders.keyOf(lease)
  const first = { requestRange: holders.first }
  const placed = await txnIfCreated(
    member,
    key,
    0,
    [{ requestPut: { key, lease } }, first],
    [{ requestRange: { key } }, first],
  )
  const [own, oldest] = placed.responses.map(({ responseRange }) => responseRange?.kvs[0])
  const place = placed.succeeded ? placed.revision : Number(own?.createRevision)
  if (oldest === undefined || Number(oldest.createRevision) === place)
    return { key, revision: placed.revision }
  try {
    return { key, revision: await holders.waitForTurn(place, signal) }
  } catch (error) {
    // The key of a client that waits no more would stop those behind it.
    await deleteKey(member, key).catch(() => undefined)
    throw error
  }
}
