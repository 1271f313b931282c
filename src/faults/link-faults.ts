/**
 * What the faults of its links do to the messages that arrive at one node. Links are broken where messages arrive: what
 * a node sent before it was killed still arrives, and what waits for a killed node is gone with it.
 */
import { isBulk, type Message, type NodeId, type Random } from '../raft/index.js'
import {
  type Endpoint,
  isLinkFault,
  type LinkFault,
  type MessageKind,
  type StandingFault,
  waysOf,
} from './fault.js'

/** Messages of one direction that a fault holds back at most. More is lost, as in a full buffer. */
export const heldMessagesMax = 1024
/** Bytes of one direction that `throttle` holds back at most. */
const throttledBytesMax = 4 << 20
/** Messages that overtake one that is reordered arrive within so many milliseconds after it was sent. */
const overtakingMs = 20

/** A message or a request, as far as a fault of its link looks at it. */
export interface Packet {
  readonly from: Endpoint
  /** `undefined`: a request of clients, or its answer. */
  readonly message: Message | undefined
  readonly byteLength: number
}

type OnWay = Exclude<LinkFault, { readonly type: 'partition' | 'isolate' }>

export class LinkFaults {
  readonly #nodeId: Endpoint
  readonly #nodeIds: readonly NodeId[]
  readonly #random: Random
  #faultsOf = new Map<Endpoint, OnWay[]>()
  /** When each direction has passed all that a throttle let through. */
  readonly #freeAtMs = new Map<Endpoint, number>()
  /** When the latest of each port of each direction arrives, since a delay keeps the order of a port. */
  readonly #latestMs = new Map<string, number>()

  /** `nodeId` is who hears. `random` decides on what is left to chance. */
  constructor(nodeId: Endpoint, nodeIds: readonly NodeId[], random: Random) {
    this.#nodeId = nodeId
    this.#nodeIds = nodeIds
    this.#random = random
  }

  /** False while no fault stands on any way to this node. */
  get areStanding(): boolean {
    return this.#faultsOf.size > 0
  }

  set(standing: readonly StandingFault[]): void {
    this.#faultsOf = new Map()
    for (const { fault } of standing) {
      if (!isLinkFault(fault)) continue
      for (const { from, to } of waysOf(fault, this.#nodeIds)) {
        if (to !== this.#nodeId) continue
        const known = this.#faultsOf.get(from) ?? []
        known.push(fault.type === 'partition' || fault.type === 'isolate' ? { type: 'cut', ways: [] } : fault)
        this.#faultsOf.set(from, known)
      }
    }
    for (const from of this.#freeAtMs.keys()) if (!this.#faultsOf.has(from)) this.#freeAtMs.delete(from)
  }

  /**
   * After how many milliseconds a packet arrives, once for each time that it does: none at all when it is lost.
   * The order of a port is kept unless a fault reorders.
   */
  arrivalsOf(packet: Packet, nowMs: number): readonly number[] {
    const faults = this.#faultsOf.get(packet.from)?.filter((fault) => isHit(fault, packet.message))
    const port = `${packet.from} ${packet.message !== undefined && isBulk(packet.message)}`
    const latestMs = this.#latestMs.get(port) ?? 0
    if (faults === undefined || faults.length === 0) {
      if (latestMs > nowMs) return [latestMs - nowMs]
      this.#latestMs.delete(port)
      return [0]
    }
    let delayMs = 0
    let copies = 1
    let isOvertaken = false
    for (const fault of faults) {
      switch (fault.type) {
        case 'cut':
          return []
        case 'drop':
          if (this.#random.chance(fault.share)) return []
          break
        case 'duplicate':
          if (this.#random.chance(fault.share)) copies++
          break
        case 'reorder':
          isOvertaken ||= this.#random.chance(fault.share)
          break
        case 'delay':
          delayMs += fault.delayMs + this.#random.next() * fault.jitterMs
          break
        case 'throttle': {
          const waitMs = this.#throttled(packet, fault.bytesPerSecond, nowMs)
          if (waitMs === undefined) return []
          delayMs += waitMs
          break
        }
      }
    }
    if (isOvertaken) return Array.from({ length: copies }, () => delayMs + overtakingMs)
    const atMs = Math.max(latestMs, nowMs + delayMs)
    this.#latestMs.set(port, atMs)
    return Array.from({ length: copies }, () => atMs - nowMs)
  }

  /** How long the bytes wait for those before them and for themselves; `undefined` when too many wait. */
  #throttled({ from, byteLength }: Packet, bytesPerSecond: number, nowMs: number): number | undefined {
    const freeAtMs = Math.max(this.#freeAtMs.get(from) ?? 0, nowMs)
    const waitingBytes = ((freeAtMs - nowMs) / 1000) * bytesPerSecond
    if (waitingBytes + byteLength > Math.max(throttledBytesMax, byteLength)) return undefined
    const passedAtMs = freeAtMs + (byteLength / bytesPerSecond) * 1000
    this.#freeAtMs.set(from, passedAtMs)
    return passedAtMs - nowMs
  }
}

function isHit({ messages }: OnWay, message: Message | undefined): boolean {
  return messages === undefined || (message !== undefined && isOfKind(message, messages))
}

function isOfKind(message: Message, kind: MessageKind): boolean {
  if (kind !== 'heartbeat') return message.type === kind
  return message.type === 'appendEntries' && message.mode === 'heartbeat'
}
