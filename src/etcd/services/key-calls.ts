/** Calls of the server itself at its member: for locks and elections, which are keys of a lease below a name. */
import { EtcdError } from '../errors.js'
import type { Member } from '../member.js'
import { follow } from '../watch/following.js'
import { newLeaseId } from './lease.js'
import { codecOf, definitionOf } from './service.js'

const kv = definitionOf('etcdserverpb.KV')
const ranges = codecOf<object, RangeResponse>(kv, 'Range')
const deletes = codecOf<object>(kv, 'DeleteRange')
const txns = codecOf<object, TxnResponse>(kv, 'Txn')
const grants = codecOf<object>(definitionOf('etcdserverpb.Lease'), 'LeaseGrant')

/** etcd's time to live of a session without a lease of the client's own, in seconds. */
const sessionTtl = 60

const ascending = 1
const descending = 2
const byCreateRevision = 2
const createRevision = 1

export interface KeyValue {
  readonly key: Buffer
  readonly createRevision: string
  readonly value: Buffer
}

interface RangeResponse {
  readonly kvs: readonly KeyValue[]
}

interface TxnResponse {
  readonly succeeded: boolean
  readonly responses: readonly { readonly responseRange?: RangeResponse }[]
}

/** The keys of a lock or an election, which a client asks for by a name. */
export class Holders {
  readonly #member: Member
  readonly #prefix: Buffer

  constructor(member: Member, name: Uint8Array) {
    this.#member = member
    this.#prefix = Buffer.concat([name, Buffer.from('/')])
  }

  /** All keys of the holders. */
  get range(): { readonly key: Buffer; readonly rangeEnd: Buffer } {
    // A slash is followed by 0.
    const rangeEnd = Buffer.concat([this.#prefix.subarray(0, -1), Buffer.from('0')])
    return { key: this.#prefix, rangeEnd }
  }

  /** A request for the holder that came first. */
  get first(): object {
    return { ...this.range, limit: 1, sortOrder: ascending, sortTarget: byCreateRevision }
  }

  keyOf(lease: string): Buffer {
    return Buffer.concat([this.#prefix, Buffer.from(BigInt(lease).toString(16))])
  }

  /** Waits until all holders are gone that came before `revision`, and returns a revision at which they are. */
  async waitForTurn(revision: number, signal: AbortSignal): Promise<number> {
    const earlier = {
      ...this.range,
      limit: 1,
      sortOrder: descending,
      sortTarget: byCreateRevision,
      maxCreateRevision: revision - 1,
    }
    for (;;) {
      const served = await range(this.#member, earlier)
      signal.throwIfAborted()
      const [last] = served.kvs
      if (last === undefined) return served.revision
      await this.#deleted(last.key, served.revision, signal)
    }
  }

  async #deleted(key: Buffer, from: number, signal: AbortSignal): Promise<void> {
    const watched = { key: key.toString('latin1'), end: undefined }
    for await (const { events } of follow(this.#member, watched, from, signal))
      if (events.some(({ isDelete }) => isDelete)) return
    signal.throwIfAborted()
  }
}

/** The client's lease, or a new one for a client without. */
export async function leaseOf(member: Member, lease: string): Promise<string> {
  if (lease !== '0') return lease
  const id = newLeaseId()
  await member.propose('leaseGrant', grants.encodeRequest({ TTL: sessionTtl, ID: id }))
  return id
}

export async function range(
  member: Member,
  request: object,
): Promise<{ readonly revision: number; readonly kvs: readonly KeyValue[] }> {
  const { revision, body } = await member.read('range', ranges.encodeRequest(request))
  return { revision, kvs: ranges.decodeResponse(body).kvs }
}

export async function deleteKey(member: Member, key: Uint8Array): Promise<number> {
  if (key.byteLength === 0) throw new EtcdError('emptyKey')
  const { revision } = await member.propose('deleteRange', deletes.encodeRequest({ key }))
  return revision
}

/** A transaction on condition that the key was created at `revision`; 0: that there is no such key. */
export async function txnIfCreated(
  member: Member,
  key: Uint8Array,
  revision: number | string,
  success: readonly object[],
  failure: readonly object[],
): Promise<{ readonly revision: number } & TxnResponse> {
  if (key.byteLength === 0) throw new EtcdError('emptyKey')
  const compare = [{ key, target: createRevision, result: 0, createRevision: revision }]
  const served = await member.propose('txn', txns.encodeRequest({ compare, success, failure }))
  return { revision: served.revision, ...txns.decodeResponse(served.body) }
}
