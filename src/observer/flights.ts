/** Messages between nodes: those that left since the look before, or a sample of them, each found again on its arrival. */
import { type Carried, type MessagesTaken, replicates } from '../telemetry/index.js'
import type { Arrival, Frame, MessageFrame } from './frame.js'

export type FlightsFrame = Pick<Frame, 'messages' | 'arrivals' | 'messagesLeftOut'>

/** Messages of a frame: more are not told apart by eye. */
const messagesMax = 60
/** Kinds of messages whose arrival is waited for. Kinds of lost messages stay until they are the oldest. */
const onTheirWayMax = 1000
/** Of messages that are the same to a receiver, so many are waited for: the newest, as those before may be lost. */
const sameMax = 8

interface Flight {
  readonly sent: Carried
  arrivedAtMs: number | undefined
}

export class Flights {
  #lastId = 0
  /** Messages that were told and have not arrived: the ids of each kind of message, the oldest first. */
  readonly #onTheirWay = new Map<string, number[]>()

  /** `taken`: what was sent and received since the call before. */
  frame({ carried, leftOut }: MessagesTaken): FlightsFrame {
    const arrivals: Arrival[] = []
    const flights: Flight[] = []
    const waiting = new Map<string, Flight[]>()
    for (const row of carried) {
      const key = keyOf(row)
      if (row.direction === 'sent') {
        const flight = { sent: row, arrivedAtMs: undefined }
        flights.push(flight)
        queueOf(waiting, key).push(flight)
      } else if (!this.#arrived(key, row.atMs, arrivals)) {
        const flight = waiting.get(key)?.shift()
        if (flight !== undefined) flight.arrivedAtMs = row.atMs
      }
    }
    const messages = sampleOf(flights).map((flight) => this.#told(flight, arrivals))
    return { messages, arrivals, messagesLeftOut: leftOut.sent + flights.length - messages.length }
  }

  #told({ sent, arrivedAtMs }: Flight, arrivals: Arrival[]): MessageFrame {
    const { nodeId: from, peer: to, type, term, mark, isYes, atMs: sentAtMs } = sent
    const id = ++this.#lastId
    if (arrivedAtMs !== undefined) arrivals.push({ id, atMs: arrivedAtMs })
    else this.#waitFor(keyOf(sent), id)
    return { id, from, to, type, term, mark, isYes, sentAtMs }
  }

  #waitFor(key: string, id: number): void {
    const ids = queueOf(this.#onTheirWay, key)
    ids.push(id)
    if (ids.length > sameMax) ids.shift()
    if (this.#onTheirWay.size <= onTheirWayMax) return
    const [oldest = ''] = this.#onTheirWay.keys()
    this.#onTheirWay.delete(oldest)
  }

  /** True for a message of an earlier frame. */
  #arrived(key: string, atMs: number, arrivals: Arrival[]): boolean {
    const ids = this.#onTheirWay.get(key)
    const id = ids?.pop()
    if (id === undefined) return false
    if (ids?.length === 0) this.#onTheirWay.delete(key)
    arrivals.push({ id, atMs })
    return true
  }
}

/** Sender and receiver tell the same of a message. */
function keyOf({ direction, nodeId, peer, type, term, mark, isYes }: Carried): string {
  const [from, to] = direction === 'sent' ? [nodeId, peer] : [peer, nodeId]
  return `${from} ${to} ${type} ${term} ${mark} ${isYes}`
}

function queueOf<Value>(queues: Map<string, Value[]>, key: string): Value[] {
  const queue = queues.get(key) ?? []
  queues.set(key, queue)
  return queue
}

/** Elections and snapshots come first, then heartbeats, then entries: of these the newest whose way is known to its end. */
function sampleOf(flights: readonly Flight[]): readonly Flight[] {
  if (flights.length <= messagesMax) return flights
  const rankOf = ({ sent: { type }, arrivedAtMs }: Flight): number => {
    if (replicates(type)) return arrivedAtMs === undefined ? 3 : 2
    return type.startsWith('heartbeat') ? 1 : 0
  }
  const sample = flights
    .map((flight, at) => ({ flight, at, rank: rankOf(flight) }))
    .sort((one, other) => one.rank - other.rank || other.at - one.at)
    .slice(0, messagesMax)
  return sample.sort((one, other) => one.at - other.at).map(({ flight }) => flight)
}
