/** The session of a simulated client: its calls are asked again until they are answered, and now and then once more. */
import type { Dice } from '../faults/index.js'
import type { Call, Outcome } from '../proof/index.js'
import type { LogIndex, NodeId } from '../raft/index.js'
import type { SimulatedCluster } from './cluster.js'

interface SessionCall {
  readonly sequence: number
  readonly commands: readonly Uint8Array[]
  /** Its first copy. */
  first: Call | undefined
}

/** Share of calls without an answer that the client gives up, and of turns in which it asks an answered call again. */
const givenUpShare = 0.1
const askedAgainShare = 0.15
/** Calls that may be asked again. Some are told as outstanding, others are not. */
const pastMax = 4

export class ClientSession {
  readonly #cluster: SimulatedCluster
  readonly #dice: Dice
  readonly #expiryMs: number
  readonly #timeoutMs: number
  #id: LogIndex | undefined
  #lastSequence = 0
  /** The call that waits for its answer. */
  #pending: SessionCall | undefined
  #past: SessionCall[] = []

  /** `timeoutMs` is that of one request. */
  constructor(cluster: SimulatedCluster, dice: Dice, expiryMs: number, timeoutMs: number) {
    this.#cluster = cluster
    this.#dice = dice
    this.#expiryMs = expiryMs
    this.#timeoutMs = timeoutMs
  }

  /** Whether a call waits for its answer, so that the client makes no other. */
  get isWaiting(): boolean {
    return this.#pending !== undefined
  }

  call(commands: readonly Uint8Array[]): void {
    this.#pending = { sequence: ++this.#lastSequence, commands, first: undefined }
  }

  /** Sends what is due: the request for a session, an answered call once more, or the call that waits. */
  send(to: NodeId, told: (outcome: Outcome) => void): void {
    const id = this.#id
    if (id === undefined) {
      const registered = (outcome: Outcome): void => {
        if (outcome.outcome === 'applied') this.#begin(outcome.index)
        told(outcome)
      }
      const registerMs = this.#expiryMs
      this.#cluster.send(to, 'propose', [], registered, this.#timeoutMs, { registerMs })
      return
    }
    const again = this.#dice.chance(askedAgainShare) ? this.#past[this.#dice.below(pastMax)] : undefined
    const due = again ?? this.#pending
    if (due === undefined) throw new Error('a client sends what it waits for')
    const oldest = Math.max(1, (this.#pending?.sequence ?? this.#lastSequence) - this.#dice.below(pastMax))
    const call = { session: id, sequence: due.sequence, firstOutstanding: oldest }
    const answered = (outcome: Outcome): void => {
      this.#told(id, due, outcome)
      told(outcome)
    }
    const copy = { call, copyOf: due.first }
    const sent = this.#cluster.send(to, 'propose', due.commands, answered, this.#timeoutMs, copy)
    due.first ??= sent
  }

  #begin(id: LogIndex): void {
    this.#id = id
    this.#past = []
  }

  #told(id: LogIndex, call: SessionCall, outcome: Outcome): void {
    if (outcome.outcome === 'refused' && outcome.code === 'expired') return this.#expired(id)
    if (call !== this.#pending) return
    if (outcome.outcome !== 'applied' && !this.#dice.chance(givenUpShare)) return
    this.#pending = undefined
    this.#past.push(call)
    if (this.#past.length > pastMax) this.#past.shift()
  }

  /** A call of which a copy was sent may have been applied: in another session it could be applied again. */
  #expired(id: LogIndex): void {
    if (this.#id !== id) return
    this.#id = undefined
    if (this.#pending?.first !== undefined) this.#pending = undefined
  }
}
