/** Requests that nodes were sent and have not answered, and the room that they take on their way. */
import type { NodeId } from '../raft/index.js'
import { type ClientRequest, type Origin, originOf, type Settlement } from '../transport/index.js'
import type { CallQueue, Request } from './requests.js'
import { SharedRoom } from './shared-room.js'

/**
 * Bytes of one caller on their way to a node and not settled; more waits here. Other callers leave it less. Small: a disk
 * waits for calls between two writes. Large: calls of others wait behind all that is on its way.
 */
const sentBytesMax = 4 << 20

export class SentRequests {
  /**
   * By the names of all their copies, in the order in which these were sent. Commands, and reads that any node may serve,
   * stay here while they wait to be sent again: the answer to an earlier copy is their answer.
   */
  readonly #requests = new Map<number, Request>()
  /** Requests with more than one copy count once. */
  size = 0
  readonly #room = new SharedRoom(sentBytesMax)
  #lastId = 0

  isOpenTo({ sentBytes }: CallQueue): boolean {
    return this.#room.isOpenTo(sentBytes)
  }

  /** A name that no other request has, and that tells its origin. */
  newId(origin: Origin): number {
    this.#lastId += 2
    return origin === 'inside' ? this.#lastId + 1 : this.#lastId
  }

  /** The request as it is sent to the node. Commands are kept until they are answered, so a copy of them is sent. */
  add(request: Request, to: NodeId): ClientRequest {
    if (request.id === 0) this.size++
    else request.earlierIds = [...request.earlierIds, request.id]
    request.id = this.newId(request.queue.origin)
    request.sentTo = to
    request.queue.sentBytes += request.weight
    this.#room.take(request.weight)
    this.#requests.set(request.id, request)
    const { id, type, frame } = request
    if (type !== 'propose') return { request: id, type, frame }
    const copy = { bytes: frame.bytes.slice(), count: frame.count }
    return { request: id, type, frame: copy, isOfSession: true }
  }

  find(id: number): Request | undefined {
    return this.#requests.get(id)
  }

  /** The requests that are at a node for which this is true. */
  at(isMeant: (nodeId: NodeId) => boolean): Request[] {
    return [...this.#requests.values()].filter(({ sentTo }) => sentTo !== undefined && isMeant(sentTo))
  }

  /**
   * The commands that were sent to a node before the last commands that it has answered as applied, each by its origin, and
   * are at that node. Nodes answer the commands of one origin in their order, so those commands or their answers are lost. Under a fault between
   * clients and nodes, commands from inside overtake the others.
   */
  passedOverBy(settled: readonly Settlement[], nodeId: NodeId): Request[] {
    const last: Record<Origin, number> = { inside: 0, outside: 0 }
    for (const { outcome, request } of settled) if (outcome === 'applied') last[originOf(request)] = request
    const passed: Request[] = []
    for (const [id, request] of this.#requests) {
      if (id >= last.inside && id >= last.outside) break
      if (id >= last[originOf(id)] || request.type !== 'propose') continue
      if (request.id === id && request.sentTo === nodeId) passed.push(request)
    }
    return passed
  }

  /** The request waits to be sent again. */
  takeBack(request: Request): void {
    request.queue.sentBytes -= request.weight
    this.#room.leave(request.weight)
    request.sentTo = undefined
    if (request.type !== 'propose' && request.target?.isAny !== true) this.#forget(request)
  }

  /** Nothing that a node says of the request counts any more. */
  remove(request: Request): void {
    if (request.sentTo !== undefined) this.takeBack(request)
    this.#forget(request)
  }

  #forget(request: Request): void {
    if (request.id === 0) return
    for (const id of [...request.earlierIds, request.id]) this.#requests.delete(id)
    request.id = 0
    request.earlierIds = []
    this.size--
  }
}
