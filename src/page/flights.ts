/**
 * Messages on their way across the ring. A message takes a tenth of a millisecond, so it is drawn as slow as an eye can
 * follow, and an answer leaves when what it answers has been seen to arrive.
 *
 * Times are those of the page's own clock, in milliseconds, unless their name says that a frame tells them.
 */
import type { Frame, MessageFrame } from '../observer/index.js'
import type { NodeId } from '../raft/index.js'
import { type Shape, type ShapeKind, shapeOf } from './shapes.js'

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
/** Messages of these kinds are sent all the time: a round of them is drawn only so often, or it would be one long stream. */
const calmKinds: ReadonlySet<ShapeKind> = new Set(['heartbeat', 'other'])
const roundEveryMs = 3000
/** Messages on one way at one time: more are not drawn. */
const onWayMax = 5

export class Flights {
  #flights: Flight[] = []
  /** When the last round of calm messages was drawn. */
  #roundMs = Number.NEGATIVE_INFINITY
  /** Kinds and ways of answers to calm messages that were drawn. */
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
    const isRound =
      nowMs - this.#roundMs >= roundEveryMs && frame.messages.some(({ type }) => type === 'heartbeat')
    if (isRound) {
      this.#roundMs = nowMs
      this.#awaited.clear()
    }
    for (const message of [...frame.messages].sort((a, b) => a.sentAtMs - b.sentAtMs)) {
      if (!this.#isDrawn(message, isRound)) continue
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

  /** True while nothing moves but what moves all the time, which may be drawn less often. */
  isCalm(nowMs: number): boolean {
    return this.#flights.every((flight) => calmKinds.has(flight.shape.kind) || endOf(flight) <= nowMs)
  }

  clear(): void {
    this.#flights = []
    this.#lastNumber = 0
    this.#roundMs = Number.NEGATIVE_INFINITY
    this.#awaited.clear()
  }

  #isDrawn({ type, from, to }: MessageFrame, isRound: boolean): boolean {
    const { kind, isAnswer } = shapeOf(type)
    if (calmKinds.has(kind)) {
      if (isAnswer) return this.#awaited.delete(`${kind} ${from} ${to}`)
      const answer = `${kind} ${to} ${from}`
      if (!isRound || this.#awaited.has(answer)) return false
      this.#awaited.add(answer)
      return true
    }
    return this.#flights.filter(({ message }) => message.from === from && message.to === to).length < onWayMax
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
