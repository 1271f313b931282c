/**
 * Messages on their way across the ring. A message takes a tenth of a millisecond, so it is drawn as slow as an eye can
 * follow, and an answer leaves when what it answers has been seen to arrive.
 *
 * Times are those of the page's own clock, in milliseconds, unless their name says that a frame tells them.
 */
import type { Frame, MessageFrame } from '../observer/index.js'
import type { NodeId } from '../raft/index.js'
import { type Shape, shapeOf } from './shapes.js'

interface Flight {
  readonly message: MessageFrame
  readonly shape: Shape
  readonly startMs: number
  /** When it lands, and since when that is known. `undefined`: it has not arrived. */
  readonly landing: { readonly atMs: number; readonly knownMs: number } | undefined
  /** A message that has not arrived by then is lost. */
  readonly lostMs: number
}

/** A message at one moment: `at` is the share of its way, 0 to 1. */
export interface Passing {
  readonly message: MessageFrame
  readonly shape: Shape
  readonly at: number
  readonly opacity: number
}

const flyMs = 380
const fadeMs = 700
const lostAfterMs = 1500
/** A message waits no longer to be drawn for those before it. */
const waitMaxMs = 900
/** Heartbeats on one way are drawn this far apart: all of them would be one long stream. */
const heartbeatEveryMs = 1600
/** Messages on one way at one time: more are not drawn. */
const onWayMax = 5

export class Flights {
  #flights: Flight[] = []
  /** When the last heartbeat of each way was drawn. */
  readonly #heartbeatMs = new Map<string, number>()
  /** Ways on which the answer to a heartbeat that was drawn is still to come. */
  readonly #awaited = new Set<string>()
  #lastNumber = 0

  /** Takes a frame that is new. `slowMs`: the time that faults of a way may add. */
  take(frame: Frame, nowMs: number, slowMs: (from: NodeId, to: NodeId) => number): void {
    if (frame.number <= this.#lastNumber) return
    this.#lastNumber = frame.number
    const arrived = new Set(frame.arrivals.map(({ id }) => id))
    this.#flights = this.#flights
      .filter((flight) => endOf(flight) > nowMs)
      .map((flight) => (arrived.has(flight.message.id) ? landed(flight, nowMs) : flight))
    for (const message of [...frame.messages].sort((a, b) => a.sentAtMs - b.sentAtMs)) {
      if (!this.#isDrawn(message, nowMs)) continue
      const startMs = this.#startOf(message, nowMs)
      const lostMs = startMs + lostAfterMs + slowMs(message.from, message.to)
      const flight = { message, shape: shapeOf(message.type), startMs, landing: undefined, lostMs }
      this.#flights.push(arrived.has(message.id) ? landed(flight, nowMs) : flight)
    }
  }

  /** The messages that are to be seen at this moment. */
  passings(nowMs: number): Passing[] {
    return this.#flights.flatMap((flight) => passingOf(flight, nowMs) ?? [])
  }

  /** True while something moves, or is still to leave. */
  isMoving(nowMs: number): boolean {
    return this.#flights.some((flight) => endOf(flight) > nowMs)
  }

  /** True while nothing but heartbeats moves, which may be drawn less often. */
  isCalm(nowMs: number): boolean {
    return this.#flights.every((flight) => flight.shape.kind === 'heartbeat' || endOf(flight) <= nowMs)
  }

  clear(): void {
    this.#flights = []
    this.#lastNumber = 0
    this.#heartbeatMs.clear()
    this.#awaited.clear()
  }

  #isDrawn({ type, from, to }: MessageFrame, nowMs: number): boolean {
    const way = `${from} ${to}`
    if (type === 'heartbeatResponse') return this.#awaited.delete(way)
    const onWay = this.#flights.filter(({ message }) => message.from === from && message.to === to)
    if (onWay.length >= onWayMax) return false
    if (type !== 'heartbeat') return true
    if (nowMs - (this.#heartbeatMs.get(way) ?? Number.NEGATIVE_INFINITY) < heartbeatEveryMs) return false
    this.#heartbeatMs.set(way, nowMs)
    this.#awaited.add(`${to} ${from}`)
    return true
  }

  /** Not before all that its sender took before it was seen to land. */
  #startOf({ from, sentAtMs }: MessageFrame, nowMs: number): number {
    const landings = this.#flights.flatMap(({ message, landing }) =>
      message.to === from && message.sentAtMs <= sentAtMs && landing !== undefined ? [landing.atMs] : [],
    )
    return Math.min(Math.max(nowMs, ...landings), nowMs + waitMaxMs)
  }
}

function landed(flight: Flight, nowMs: number): Flight {
  const atMs = Math.max(flight.startMs + flyMs, nowMs + flyMs / 2)
  return { ...flight, landing: { atMs, knownMs: Math.max(nowMs, flight.startMs) } }
}

function endOf({ landing, lostMs }: Flight): number {
  return landing?.atMs ?? lostMs + fadeMs
}

function passingOf(flight: Flight, nowMs: number): Passing | undefined {
  const { message, shape, startMs, landing, lostMs } = flight
  if (nowMs < startMs || nowMs >= endOf(flight)) return undefined
  if (landing === undefined || nowMs < landing.knownMs) {
    const opacity = nowMs <= lostMs ? 1 : 1 - (nowMs - lostMs) / fadeMs
    return { message, shape, at: creptAt(nowMs - startMs), opacity }
  }
  const { atMs, knownMs } = landing
  const from = creptAt(knownMs - startMs)
  return { message, shape, at: from + ((1 - from) * (nowMs - knownMs)) / (atMs - knownMs), opacity: 1 }
}

/** The share of the way of a message that is not known to have arrived: it comes ever closer to the middle. */
function creptAt(sinceMs: number): number {
  return 0.5 * (1 - Math.exp((-2 * sinceMs) / flyMs))
}
