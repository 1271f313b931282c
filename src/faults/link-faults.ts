/**
 * The effect of faults of links on the messages that arrive at one node. Links are broken where messages arrive, so a
 * message that a node sent before it was killed still arrives, and messages that wait for a killed node are gone with
 * it.
 */
import { byteLengthOf, entriesIn, isBulk, type Message, type NodeId, type Random } from '../raft/index.js'
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
/** Bytes of one direction that a fault holds back at most: all that clients or a leader may have on their way. */
export const heldBytesMax = 32 << 20
/** Bytes of one direction that `throttle` holds back at most. */
export const throttledBytesMax = 4 << 20
/** Messages that overtake one that is reordered arrive within so many milliseconds after it was sent. */
const overtakingMs = 20

/** A message or a request, as far as a fault of its link looks at it. */
export interface Packet {
  readonly from: Endpoint
  /** `undefined`: a request of clients, or its answer. */
  readonly message: Message | undefined
  readonly byteLength: number
}

/** Bytes of a message beside its entries or its chunk, as far as a throttle counts them. */
const headerBytes = 64

export function packetOf(message: Message): Packet {
  let byteLength = headerBytes
  if (message.type === 'installSnapshot') byteLength += message.data?.byteLength ?? 0
  else if (message.type === 'appendEntries')
    for (const run of entriesIn(message)) byteLength += byteLengthOf(run)
  return { from: message.from, message, byteLength }
}

/** Is told each time that a fault did something to a packet. */
export type Hit = (what: OnWay['type'], from: Endpoint) => void

type OnWay = Exclude<LinkFault, { readonly type: 'partition' | 'isolate' }>

export class LinkFaults {
  readonly #nodeId: Endpoint
  readonly #nodeIds: readonly NodeId[]
  readonly #random: Random
  readonly #hit: Hit
  #faultsOf = new Map<Endpoint, OnWay[]>()
  /** When each direction has passed all that a throttle let through. */
  readonly #freeAtMs = new Map<Endpoint, number>()
  /** When the latest of each port of each direction arrives, since a delay keeps the order of a port. */
  readonly #latest = new Map<string, { readonly from: Endpoint; readonly atMs: number }>()

  /** `nodeId` is who hears. `random` decides on what is left to chance. */
  constructor(nodeId: Endpoint, nodeIds: readonly NodeId[], random: Random, hit: Hit = () => {}) {
    this.#nodeId = nodeId
    this.#nodeIds = nodeIds
    this.#random = random
    this.#hit = hit
  }

  /** False while no fault stands on any way to this node. */
  get areStanding(): boolean {
    return this.#faultsOf.size > 0
  }

  /** True while packets from there are held back. Packets that were held back arrive at once when that ends. */
  delays(from: Endpoint): boolean {
    return this.#faultsOf.get(from)?.some(({ type }) => type === 'delay' || type === 'throttle') === true
  }

  /** True while nothing like the packet passes. */
  isCut({ from, message }: Packet): boolean {
    return this.#faultsOf.get(from)?.some((fault) => fault.type === 'cut' && isHit(fault, message)) === true
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
    for (const from of this.#freeAtMs.keys()) if (!this.delays(from)) this.#freeAtMs.delete(from)
    for (const [port, { from }] of this.#latest) if (!this.delays(from)) this.#latest.delete(port)
  }

  /**
   * After how many milliseconds a packet arrives, once for each time that it does: none at all when it is lost.
   * The order of a port is kept unless a fault reorders.
   */
  arrivalsOf(packet: Packet, nowMs: number): readonly number[] {
    const faults = this.#faultsOf.get(packet.from)?.filter((fault) => isHit(fault, packet.message))
    const port = `${packet.from} ${packet.message !== undefined && isBulk(packet.message)}`
    const latestMs = Math.max(this.#latest.get(port)?.atMs ?? 0, nowMs)
    if (faults === undefined || faults.length === 0) return [latestMs - nowMs]
    let delayMs = 0
    let copies = 1
    let isOvertaken = false
    for (const fault of faults) {
      if ('share' in fault && !this.#random.chance(fault.share)) continue
      this.#hit(fault.type, packet.from)
      switch (fault.type) {
        case 'cut':
        case 'drop':
          return []
        case 'duplicate':
          copies++
          break
        case 'reorder':
          isOvertaken = true
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
    if (delayMs > 0) this.#latest.set(port, { from: packet.from, atMs })
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
