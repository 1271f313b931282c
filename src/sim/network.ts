/**
 * The links between simulated nodes: they lose, repeat, delay and reorder, by seed; they never alter. Conditions here are
 * of the whole network, or of virtual time alone; faults of single links come where messages arrive (`arrivals.ts`).
 */
import type { Dice } from '../faults/index.js'
import { isBulk, type Message, type NodeId } from '../raft/index.js'
import { cloneMessage } from '../transport/index.js'
import type { World } from './world.js'

export interface NetworkConditions extends PortConditions {
  /** Shortest way of a message, in milliseconds. */
  readonly delayMs: number
  /** Mean of what comes on top of it, by chance. Messages overtake each other as soon as it is not 0. */
  readonly jitterMs: number
  /** Share of messages that are lost, from 0 to 1. */
  readonly lossRate: number
  /** Share of messages that arrive twice. */
  readonly duplicationRate: number
  /** Share of messages that are held up for about `spikeMs`: the network is asynchronous. */
  readonly spikeRate: number
  readonly spikeMs: number
}

export interface PortConditions {
  /**
   * Each of the two ports of a link keeps its order, as between threads: what is held up holds up all behind it on its
   * port, and the other port overtakes it.
   */
  readonly isOrdered: boolean
  /** Share of messages that leave the order of their port, and arrive about `strayMs` later: in another election. */
  readonly strayRate: number
  readonly strayMs: number
}

/** The two ports of a link: votes, heartbeats and answers, and what may be large. */
export type Port = 'control' | 'bulk'
const bothPorts: readonly Port[] = ['control', 'bulk']

export const calmNetwork: NetworkConditions = Object.freeze({
  delayMs: 0.2,
  jitterMs: 0.3,
  lossRate: 0,
  duplicationRate: 0,
  spikeRate: 0,
  spikeMs: 0,
  isOrdered: false,
  strayRate: 0,
  strayMs: 0,
})

/** True for a message that a test wants to lose. Only virtual time has such rules. */
export type DropRule = (message: Message) => boolean

/** A link that holds messages back holds no more than these. */
const heldMessagesMax = 1000

export class Network {
  conditions: NetworkConditions
  readonly #world: World
  readonly #dice: Dice
  readonly #deliver: (message: Message) => void
  /** Takes the place of the ways of messages. */
  readonly #carrier: ((message: Message) => void) | undefined
  readonly #rules = new Set<DropRule>()
  /** Messages on ports that hold them back. */
  readonly #held = new Map<number, Message[]>()
  /** When the latest message of each direction arrives, to notice what overtakes it. */
  readonly #latestUs = new Map<number, number>()
  /** The same of each port, strays aside: where ports keep their order, nothing arrives before. */
  readonly #latestOfPortUs = new Map<number, number>()

  constructor(
    world: World,
    dice: Dice,
    conditions: NetworkConditions,
    deliver: (message: Message) => void,
    carrier: ((message: Message) => void) | undefined,
  ) {
    this.#world = world
    this.#dice = dice
    this.conditions = conditions
    this.#deliver = deliver
    this.#carrier = carrier
  }

  send(message: Message): void {
    const { counts } = this.#world
    counts.messages++
    if (this.#isLost(message)) {
      counts.lost++
      this.#world.tracer.record(message.from, { type: 'undelivered', message, why: 'lost' })
      return
    }
    this.#post(message)
    if (this.#dice.chance(this.conditions.duplicationRate)) {
      counts.repeated++
      this.#post(message)
    }
  }

  #post(message: Message): void {
    const copy = cloneMessage(message)
    this.#world.mail.sent(message, copy)
    if (this.#carrier === undefined) this.#carry(copy)
    else this.#carrier(copy)
  }

  /** Keeps all messages in this direction on their way, or those of one port, until they are let go: in virtual time only. */
  hold(from: NodeId, to: NodeId, ports = bothPorts): void {
    for (const port of ports) {
      const key = portKeyOf(from, to, port)
      if (!this.#held.has(key)) this.#held.set(key, [])
    }
  }

  /** Lets go of what was held, all at once, and in any order unless ports keep theirs. */
  letGo(from: NodeId, to: NodeId, ports = bothPorts): void {
    for (const port of ports) {
      const key = portKeyOf(from, to, port)
      const held = this.#held.get(key) ?? []
      this.#held.delete(key)
      for (const message of held) this.#carry(message)
    }
  }

  letAllGo(): void {
    const all = [...this.#held.values()].flat()
    this.#held.clear()
    for (const message of all) this.#carry(message)
  }

  /** Loses every message for which the rule is true, until the answer is called. */
  drop(rule: DropRule): () => void {
    this.#rules.add(rule)
    return () => void this.#rules.delete(rule)
  }

  #isLost(message: Message): boolean {
    for (const rule of this.#rules) if (rule(message)) return true
    return this.#dice.chance(this.conditions.lossRate)
  }

  #carry(message: Message): void {
    const { delayMs, jitterMs, spikeRate, spikeMs, strayRate, strayMs, isOrdered } = this.conditions
    const { time, counts } = this.#world
    const key = keyOf(message.from, message.to)
    const portKey = portKeyOf(message.from, message.to, isBulk(message) ? 'bulk' : 'control')
    const held = this.#held.get(portKey)
    if (held !== undefined && held.length < heldMessagesMax) {
      counts.heldUp++
      held.push(message)
      return
    }
    let delayUs = 1000 * (delayMs + this.#dice.around(jitterMs))
    if (spikeRate > 0 && this.#dice.chance(spikeRate)) {
      counts.heldUp++
      delayUs += 1000 * this.#dice.around(spikeMs)
    }
    const isStray = strayRate > 0 && this.#dice.chance(strayRate)
    if (isStray) {
      counts.strayed++
      delayUs += 1000 * this.#dice.around(strayMs)
    }
    const freeUs = isOrdered && !isStray ? (this.#latestOfPortUs.get(portKey) ?? 0) : 0
    const arrivalUs = Math.max(time.nowUs + Math.round(delayUs), freeUs)
    if (!isStray) this.#latestOfPortUs.set(portKey, arrivalUs)
    const latestUs = this.#latestUs.get(key) ?? 0
    if (arrivalUs < latestUs) counts.reordered++
    else this.#latestUs.set(key, arrivalUs)
    time.after(arrivalUs - time.nowUs, () => this.#deliver(message))
  }
}

function keyOf(from: NodeId, to: NodeId): number {
  return from * 1024 + to
}

function portKeyOf(from: NodeId, to: NodeId, port: Port): number {
  return 2 * keyOf(from, to) + bothPorts.indexOf(port)
}
