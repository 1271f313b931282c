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
type Throttle = Extract<OnWay, { readonly type: 'throttle' }>

/** A fault as it stands on the way from one sender. */
interface FaultOnWay<Type extends OnWay = OnWay> {
  readonly id: number
  readonly fault: Type
  /** When all that a throttle let through has passed. */
  freeAtMs: number
}

export class LinkFaults {
  readonly #nodeId: Endpoint
  readonly #nodeIds: readonly NodeId[]
  readonly #random: Random
  readonly #hit: Hit
  #faultsOf: ReadonlyMap<Endpoint, readonly FaultOnWay[]> = new Map()
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
    const faults = this.#faultsOf.get(from)
    return faults?.some(({ fault }) => fault.type === 'delay' || fault.type === 'throttle') === true
  }

  /** True while nothing like the packet passes. */
  isCut({ from, message }: Packet): boolean {
    const faults = this.#faultsOf.get(from)
    return faults?.some(({ fault }) => fault.type === 'cut' && isHit(fault, message)) === true
  }

  set(standing: readonly StandingFault[]): void {
    const faultsOf = new Map<Endpoint, FaultOnWay[]>()
    for (const { id, fault } of standing) {
      if (!isLinkFault(fault)) continue
      const onWay: OnWay =
        fault.type === 'partition' || fault.type === 'isolate' ? { type: 'cut', ways: [] } : fault
      for (const { from, to } of waysOf(fault, this.#nodeIds)) {
        if (to !== this.#nodeId) continue
        const before = this.#faultsOf.get(from)?.find((each) => each.id === id)
        const faults = faultsOf.get(from) ?? []
        faults.push({ id, fault: onWay, freeAtMs: before?.freeAtMs ?? 0 })
        faultsOf.set(from, faults)
      }
    }
    this.#faultsOf = faultsOf
    for (const [port, { from }] of this.#latest) if (!this.delays(from)) this.#latest.delete(port)
  }

  /**
   * After how many milliseconds a packet arrives, once for each time that it does: none at all when it is lost.
   * The order of a port is kept unless a fault reorders.
   */
  arrivalsOf(packet: Packet, nowMs: number): readonly number[] {
    const faults = this.#faultsOf.get(packet.from)?.filter(({ fault }) => isHit(fault, packet.message))
    const port = `${packet.from} ${packet.message !== undefined && isBulk(packet.message)}`
    const latestMs = Math.max(this.#latest.get(port)?.atMs ?? 0, nowMs)
    if (faults === undefined || faults.length === 0) return [latestMs - nowMs]
    let delayMs = 0
    let copies = 1
    let isOvertaken = false
    for (const { fault } of faults) {
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
      }
    }
    const throttles = faults.filter(isThrottle)
    if (!throttles.every((throttle) => hasRoom(throttle, packet, nowMs))) return []
    // The throttles of a way are one pipe, whose narrowest place decides.
    delayMs += Math.max(0, ...throttles.map((throttle) => passes(throttle, packet, nowMs)))
    if (isOvertaken) return Array.from({ length: copies }, () => delayMs + overtakingMs)
    const atMs = Math.max(latestMs, nowMs + delayMs)
    if (delayMs > 0) this.#latest.set(port, { from: packet.from, atMs })
    return Array.from({ length: copies }, () => atMs - nowMs)
  }
}

function isThrottle(onWay: FaultOnWay): onWay is FaultOnWay<Throttle> {
  return onWay.fault.type === 'throttle'
}

/** False when too many bytes wait for the throttle. */
function hasRoom({ fault, freeAtMs }: FaultOnWay<Throttle>, { byteLength }: Packet, nowMs: number): boolean {
  const waitingBytes = (Math.max(0, freeAtMs - nowMs) / 1000) * fault.bytesPerSecond
  return waitingBytes + byteLength <= Math.max(throttledBytesMax, byteLength)
}

/** Lets the packet into the throttle. Returns how long the packet waits there for those before it and for itself. */
function passes(throttle: FaultOnWay<Throttle>, { byteLength }: Packet, nowMs: number): number {
  const beginsAtMs = Math.max(throttle.freeAtMs, nowMs)
  throttle.freeAtMs = beginsAtMs + (byteLength / throttle.fault.bytesPerSecond) * 1000
  return throttle.freeAtMs - nowMs
}

function isHit({ messages }: OnWay, message: Message | undefined): boolean {
  return messages === undefined || (message !== undefined && isOfKind(message, messages))
}

function isOfKind(message: Message, kind: MessageKind): boolean {
  if (kind !== 'heartbeat') return message.type === kind
  return message.type === 'appendEntries' && message.mode === 'heartbeat'
}
