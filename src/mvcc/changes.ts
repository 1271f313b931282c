/** Puts and deletes of ranges, alone and within transactions. */
import type { Memory } from '../machine/index.js'
import type { AnswerRoom } from './answer-room.js'
import type { Status } from './border.js'
import type { Leases } from './leases.js'
import { keyedBy, placeOf, visitAt } from './ranges.js'
import type { Ref } from './records.js'
import type { DeleteRangeRequest, PutRequest } from './requests.js'
import type { DeleteRangeResponse, PutResponse } from './responses.js'
import type { Store } from './store.js'

/** The reason to refuse a put outside of transactions. */
export function refusesPut(
  store: Store,
  leases: Leases,
  memory: Memory,
  request: PutRequest,
): Status | undefined {
  if (request.lease !== 0n && !leases.has(request.lease)) return 'leaseNotFound'
  return lacksKey(store, memory, request) ? 'keyNotFound' : undefined
}

/** The same within transactions, where etcd looks for the key first. */
export function refusesPutInTxn(
  store: Store,
  leases: Leases,
  memory: Memory,
  request: PutRequest,
): Status | undefined {
  if (lacksKey(store, memory, request)) return 'keyNotFound'
  return request.lease !== 0n && !leases.has(request.lease) ? 'leaseNotFound' : undefined
}

function lacksKey(store: Store, memory: Memory, request: PutRequest): boolean {
  return (request.ignoreValue || request.ignoreLease) && store.get(placeOf(request.key, memory)) === 0
}

export function put(store: Store, memory: Memory, request: PutRequest): PutResponse {
  const key = placeOf(request.key, memory)
  const present = request.ignoreValue || request.ignoreLease || request.prevKv ? store.get(key) : 0
  // A transaction may have deleted the key before: then there is nothing that the put could keep.
  const value = request.ignoreValue && present !== 0 ? store.valueOf(present) : placeOf(request.value, memory)
  const lease = request.ignoreLease && present !== 0 ? store.keyValueOf(present).lease : request.lease
  store.put(key, value, lease)
  return { type: 'put', revision: store.visibleRevision, prevKv: request.prevKv ? present : 0 }
}

export function deleteRange(
  store: Store,
  memory: Memory,
  request: DeleteRangeRequest,
  room: AnswerRoom,
): DeleteRangeResponse {
  const found: Ref[] = []
  // A deleted key keeps its place in the order, so that the visit goes on behind it.
  visitAt(store, keyedBy(request, memory, 'log'), store.visibleRevision, (ref) => {
    store.delete(store.records.keyOf(ref))
    return found.push(ref) > 0
  })
  const hasRoom = request.prevKv && found.every((ref) => room.take(store.records.lengthOf(ref)))
  const prevKvs = hasRoom ? found : []
  return { type: 'deleteRange', revision: store.visibleRevision, deleted: found.length, prevKvs }
}
