/** Arrivals at the ends of the links: delayed, repeated and lost as the faults that stand on their ways want it. */
import {
  type Dice,
  type Endpoint,
  type Hit,
  heldMessagesMax,
  LinkFaults,
  type Packet,
  type Passage,
  packetOf,
  type StandingFault,
} from '../faults/index.js'
import type { Message, NodeId } from '../raft/index.js'
import { cloneMessage } from '../transport/index.js'
import { nameOfHit } from './counts.js'
import type { World } from './world.js'

interface Held {
  readonly passage: Passage
  atMs: number
  readonly arrive: () => void
}

/** The arrivals at one end: a node, or all clients. */
class End {
  readonly faults: LinkFaults
  readonly #world: World
  readonly #hit: Hit
  /** Packets that are held back, by their senders, in the order in which they were sent. */
  readonly #held = new Map<Endpoint, Set<Held>>()

  constructor(end: Endpoint, nodeIds: readonly NodeId[], world: World, dice: Dice) {
    this.#world = world
    this.#hit = (what, from) => {
      world.counts[nameOfHit(what, end === 'clients' || from === 'clients')]++
    }
    this.faults = new LinkFaults(end, nodeIds, dice, this.#hit)
  }

  set(standing: readonly StandingFault[]): void {
    this.faults.set(standing)
    const { nowMs } = this.#world.time
    for (const held of this.#held.values()) {
      for (const each of held) this.#retime(each)
      for (const each of held) if (each.atMs <= nowMs) this.#arrive(each)
    }
  }

  /** `arrive` is called once for each time that the packet arrives. False when it never does. */
  pass(packet: Packet, arrive: (copy: number) => void): boolean {
    const passage = this.faults.passageOf(packet, this.#world.time.nowMs)
    if (passage.copies === 0) this.#lost(packet)
    for (let copy = 0; copy < passage.copies; copy++) {
      const atMs = this.faults.arrivesAtMs(passage)
      if (atMs > passage.sentAtMs) this.#hold({ passage, atMs, arrive: () => arrive(copy) })
      else arrive(copy)
    }
    return passage.copies > 0
  }

  #hold(waiting: Held): void {
    const { packet } = waiting.passage
    const held = this.#held.get(packet.from) ?? new Set()
    this.#held.set(packet.from, held)
    if (held.size >= heldMessagesMax) {
      this.#hit('overflow', packet.from)
      return this.#lost(packet)
    }
    held.add(waiting)
    this.#wait(waiting)
  }

  #retime(held: Held): void {
    const atMs = this.faults.arrivesAtMs(held.passage)
    if (atMs === held.atMs) return
    held.atMs = atMs
    if (atMs > this.#world.time.nowMs) this.#wait(held)
  }

  /** A time that was taken back passes without effect. */
  #wait(held: Held): void {
    const { atMs } = held
    this.#world.time.after(1000 * (atMs - this.#world.time.nowMs), () => {
      if (held.atMs === atMs) this.#arrive(held)
    })
  }

  #arrive(held: Held): void {
    const { packet } = held.passage
    if (!this.#held.get(packet.from)?.delete(held)) return
    if (!this.faults.isCut(packet)) return held.arrive()
    this.#hit('cut', packet.from)
    this.#lost(packet)
  }

  #lost({ message }: Packet): void {
    if (message === undefined) return
    const why = 'a fault of its link'
    this.#world.tracer.record(message.from, { type: 'undelivered', message, why })
  }
}

export class Arrivals {
  readonly #nodes = new Map<NodeId, End>()
  readonly #clients: End
  readonly #nodeIds: readonly NodeId[]
  readonly #world: World
  readonly #diceOf: (end: number) => Dice

  /** `nodeIds`: the nodes that are there at any time. `diceOf(end)`: where the clients are end 0. */
  constructor(nodeIds: readonly NodeId[], world: World, diceOf: (end: number) => Dice) {
    this.#clients = new End('clients', nodeIds, world, diceOf(0))
    this.#nodeIds = nodeIds
    this.#world = world
    this.#diceOf = diceOf
  }

  /** From now on the faults in `standing` stand at the node, and those in `all` in the cluster. */
  set(nodeId: NodeId, standing: readonly StandingFault[], all: readonly StandingFault[]): void {
    this.#end(nodeId).set(standing)
    this.#clients.set(all)
  }

  /** A message has come over the network to its node. */
  message(message: Message, deliver: (message: Message) => void): void {
    const end = this.#end(message.to)
    if (!end.faults.areStanding) return deliver(message)
    end.pass(packetOf(message), (copy) => {
      const arriving = copy === 0 ? message : cloneMessage(message)
      if (copy > 0) this.#world.mail.repeated(message, arriving)
      deliver(arriving)
    })
  }

  /** A request of a client has come to its node. False when it is lost. */
  request(to: NodeId, byteLength: number, arrive: () => void): boolean {
    return this.#end(to).pass({ from: 'clients', message: undefined, byteLength }, arrive)
  }

  /** An answer has come from its node to the client. */
  answer(from: NodeId, byteLength: number, arrive: () => void): void {
    this.#clients.pass({ from, message: undefined, byteLength }, arrive)
  }

  #end(nodeId: NodeId): End {
    const known = this.#nodes.get(nodeId)
    if (known !== undefined) return known
    const end = new End(nodeId, this.#nodeIds, this.#world, this.#diceOf(nodeId))
    this.#nodes.set(nodeId, end)
    return end
  }
}
