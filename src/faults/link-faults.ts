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

/** Is told each time that a fault did something to a packet. `overflow`: the packet is lost, since too much waits already. */
export type Hit = (what: OnWay['type'] | 'overflow', from: Endpoint) => void

type OnWay = Exclude<LinkFault, { readonly type: 'partition' | 'isolate' }>
type Throttle = Extract<OnWay, { readonly type: 'throttle' }>

/** The part of a packet's time that one fault takes. */
export interface Wait {
  readonly faultId: number
  readonly type: OnWay['type']
  readonly ms: number
}

/** A packet on its way, as the faults that stood when it was sent let it pass. */
export interface Passage {
  readonly packet: Packet
  readonly sentAtMs: number
  /** How often the packet arrives; 0: it is lost. */
  readonly copies: number
  /** The fault that lost the packet. */
  readonly lostTo: number | undefined
  /** The port whose order the packet keeps. `undefined`: packets that are sent later overtake it. */
  readonly port: string | undefined
  readonly waits: readonly Wait[]
}

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
  readonly #latestMs = new Map<string, number>()

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

  /** True while nothing like the packet passes. */
  isCut({ from, message }: Packet): boolean {
    const faults = this.#faultsOf.get(from)
    return faults?.some(({ fault }) => fault.type === 'cut' && isHit(fault, message)) === true
  }

  /**
   * From now on these faults stand. Packets that are on their way may arrive earlier now: their holder asks `arrivesAtMs`
   * anew for each packet of a port, in the order in which they were sent.
   */
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
    this.#latestMs.clear()
  }

  /** The faults on the way of a packet that is sent now decide whether it is lost, and how long it takes. */
  passageOf(packet: Packet, nowMs: number): Passage {
    const { from, message } = packet
    const faults = this.#faultsOf.get(from)?.filter(({ fault }) => isHit(fault, message)) ?? []
    const waits: Wait[] = []
    const hits: OnWay['type'][] = []
    let copies = 1
    let isOvertaken = false
    const lost = (lostTo: number, what: Parameters<Hit>[0]): Passage => {
      this.#hit(what, from)
      return { packet, sentAtMs: nowMs, copies: 0, lostTo, port: undefined, waits: [] }
    }
    for (const { id, fault } of faults) {
      if ('share' in fault && !this.#random.chance(fault.share)) continue
      const waitsFor = (ms: number) => waits.push({ faultId: id, type: fault.type, ms })
      if (fault.type === 'cut' || fault.type === 'drop') return lost(id, fault.type)
      hits.push(fault.type)
      if (fault.type === 'duplicate') copies++
      else if (fault.type === 'delay') waitsFor(fault.delayMs + this.#random.next() * fault.jitterMs)
      else if (fault.type === 'reorder') {
        isOvertaken = true
        waitsFor(overtakingMs)
      }
    }
    const throttles = faults.filter(isThrottle)
    const full = throttles.find((throttle) => !hasRoom(throttle, packet, nowMs))
    if (full !== undefined) return lost(full.id, 'overflow')
    for (const what of hits) this.#hit(what, from)
    for (const throttle of throttles)
      waits.push({ faultId: throttle.id, type: 'throttle', ms: passes(throttle, packet, nowMs) })
    const port = isOvertaken ? undefined : `${from} ${message !== undefined && isBulk(message)}`
    return { packet, sentAtMs: nowMs, copies, lostTo: undefined, port, waits }
  }

  /** For how many milliseconds those faults hold the packet back that still stand on its way. */
  waitMsOf({ packet, waits }: Pick<Passage, 'packet' | 'waits'>): number {
    const faults = this.#faultsOf.get(packet.from) ?? []
    let delayedMs = 0
    let throttledMs = 0
    let overtakenMs = 0
    for (const { faultId, type, ms } of waits) {
      if (!faults.some(({ id }) => id === faultId)) continue
      // The throttles of a way are one pipe, whose narrowest place decides.
      if (type === 'throttle') throttledMs = Math.max(throttledMs, ms)
      else if (type === 'reorder') overtakenMs = ms
      else delayedMs += ms
    }
    return delayedMs + throttledMs + overtakenMs
  }

  /** When the packet arrives. The order of a port is kept unless a fault reorders. */
  arrivesAtMs(passage: Passage): number {
    const { port, sentAtMs } = passage
    const waitMs = this.waitMsOf(passage)
    if (port === undefined) return sentAtMs + waitMs
    const atMs = Math.max(this.#latestMs.get(port) ?? 0, sentAtMs + waitMs)
    if (waitMs > 0) this.#latestMs.set(port, atMs)
    return atMs
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
