/** The links of one node and the way to its clients, behind the faults that stand on them. */
import {
  type Endpoint,
  LinkFaults,
  type Packet,
  type Passage,
  packetOf,
  type StandingFault,
} from '../faults/index.js'
import { type Message, type NodeId, Random } from '../raft/index.js'
import { cloneMessage, type Settlements, type ToNode } from '../transport/index.js'
import { partsOfAnswers, partsOfRequests } from './by-origin.js'
import type { NodeOptions } from './control.js'
import { HeldPackets } from './held-packets.js'

export class FaultyLinks {
  /** False while no fault stands on any way to the node, or from it to its clients. */
  areStanding = false
  readonly #nodeId: NodeId
  /** Messages and requests on their way to the node, and answers on theirs from it. */
  readonly #arriving: LinkFaults
  readonly #leaving: LinkFaults
  readonly #held = new HeldPackets()
  /** Called as what was held back begins a turn. */
  readonly #look: () => void

  constructor({ nodeId, seed }: NodeOptions, look: () => void) {
    const random = new Random(seed)
    this.#nodeId = nodeId
    // The faults on a board name each of their ways, whoever the members are.
    this.#arriving = new LinkFaults(nodeId, [], random)
    this.#leaving = new LinkFaults('clients', [], random)
    this.#look = look
  }

  set(standing: readonly StandingFault[]): void {
    this.#arriving.set(standing)
    this.#leaving.set(standing)
    this.areStanding = this.#arriving.areStanding || this.#leaving.areStanding
    this.#held.retime((passage) => this.#faultsOn(passage.packet.from).arrivesAtMs(passage))
  }

  /** Hands a message to `now`, or to `later` when it is held back. A second arrival is of a copy, made before the first. */
  arrives(message: Message, now: (message: Message) => void, later: (message: Message) => void): void {
    const passage = this.#arriving.passageOf(packetOf(message), performance.now())
    const messages = Array.from({ length: passage.copies }, (_, copy) =>
      copy === 0 ? message : cloneMessage(message),
    )
    for (const each of messages) {
      this.#pass(
        passage,
        () => now(each),
        () => later(each),
      )
    }
  }

  requested(message: ToNode, now: (message: ToNode) => void, later: (message: ToNode) => void): void {
    const { inside, outside } = partsOfRequests(message)
    if (inside !== undefined) now(inside)
    if (outside === undefined) return
    let byteLength = 0
    for (const { frame } of outside.requests) byteLength += frame.bytes.byteLength
    const packet: Packet = { from: 'clients', message: undefined, byteLength }
    this.#passAll(
      packet,
      () => now(outside),
      () => later(outside),
    )
  }

  answered(settlements: Settlements, settle: (settlements: Settlements) => void): void {
    const { inside, outside } = partsOfAnswers(settlements)
    if (inside !== undefined) settle(inside)
    if (outside === undefined) return
    let { byteLength } = outside.results
    for (const each of outside.settled) if (each.outcome === 'read') byteLength += each.results.byteLength
    const answered = () => settle(outside)
    this.#passAll({ from: this.#nodeId, message: undefined, byteLength }, answered, answered)
  }

  close(): void {
    this.#held.close()
  }

  #passAll(packet: Packet, now: () => void, later: () => void): void {
    const passage = this.#faultsOn(packet.from).passageOf(packet, performance.now())
    if (passage.copies > 0) this.#pass(passage, now, later)
  }

  #pass(passage: Passage, now: () => void, later: () => void): void {
    const { packet, sentAtMs } = passage
    const atMs = this.#faultsOn(packet.from).arrivesAtMs(passage)
    if (atMs <= sentAtMs) now()
    else this.#held.hold(passage, atMs, () => this.#arrivesLate(packet, later))
  }

  #arrivesLate(packet: Packet, later: () => void): void {
    this.#look()
    if (!this.#faultsOn(packet.from).isCut(packet)) later()
  }

  #faultsOn(from: Endpoint): LinkFaults {
    return from === this.#nodeId ? this.#leaving : this.#arriving
  }
}
