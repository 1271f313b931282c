/**
 * Draws what moves in the ring on a canvas: messages, and the arcs of election timers. Nothing is drawn while nothing
 * moves, or while nobody sees the page: each draw costs some milliseconds where the browser has no graphics processor.
 */
import { effect, untracked } from '@preact/signals'
import type { Frame, NodeFrame } from '../observer/index.js'
import { Flights, type Passing } from './flights.js'
import { drawArc, drawMessage } from './message-marks.js'
import { pointAt, wayBetween } from './ring-geometry.js'
import { places, ringSize, wayLook } from './ring-state.js'
import { frames, isPast, shownFrame } from './store.js'
import { isDark, isStill } from './theme.js'

/** Milliseconds between two draws, by what moves. */
const drawEveryMs = { busy: 30, calm: 50, arcs: 50, idle: 400 }
/** A timer that is fuller than this runs down so far between any two heartbeats: it is drawn now and then. */
const fullShare = 0.5
/** The two directions of a link pass each other at this distance from its middle. */
const asidePx = 3.5

export class RingMotion {
  readonly #canvas: HTMLCanvasElement
  readonly #flights = new Flights()
  #frame: Frame | undefined
  /** The time on the page's clock when the frame came. */
  #frameMs = 0
  #drawnMs = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #ends: readonly (() => void)[]

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas
    this.#ends = [
      effect(() => {
        const frame = shownFrame.value
        untracked(() => this.#take(frame))
      }),
      effect(() => {
        // All is drawn anew, whichever of these signals changes.
        void [places.value, isDark.value, isStill.value, isPast.value]
        const { width, height } = ringSize.value
        // A canvas whose size is set is empty.
        this.#resize(width, height)
        untracked(() => this.#draw())
      }),
    ]
  }

  close(): void {
    for (const end of this.#ends) end()
    clearTimeout(this.#timer)
  }

  #resize(width: number, height: number): void {
    const scale = Math.min(2, devicePixelRatio)
    this.#canvas.width = Math.round(width * scale)
    this.#canvas.height = Math.round(height * scale)
    this.#canvas.getContext('2d')?.scale(scale, scale)
  }

  #take(frame: Frame | undefined): void {
    if (frame === undefined || frame === this.#frame) return
    const nowMs = performance.now()
    // A frame without the one before it is the first, or of the past.
    const isNext = this.#frame !== undefined && frame.number > this.#frame.number
    const isMoving = isNext && frame === frames.value.at(-1) && !isPast.value && !document.hidden
    this.#frame = frame
    this.#frameMs = nowMs
    if (isMoving) this.#flights.take(frame, nowMs, (from, to) => wayLook(from, to).slowMs)
    else this.#flights.clear()
    // A draw that is to come anyway draws the frame too.
    if (this.#timer !== undefined) return
    if (this.#pace(nowMs) !== undefined || isPast.value || nowMs - this.#drawnMs >= drawEveryMs.idle)
      this.#draw()
  }

  /** Milliseconds until the next draw. `undefined`: nothing moves. */
  #pace(nowMs: number): number | undefined {
    if (isPast.value) return undefined
    if (!isStill.value && this.#flights.isMoving(nowMs))
      return this.#flights.isCalm(nowMs) ? drawEveryMs.calm : drawEveryMs.busy
    const isRunningDown = this.#frame?.nodes.some((node) => {
      const share = this.#shareLeft(node, nowMs)
      return node.state === 'running' && share > 0 && share < fullShare
    })
    return isRunningDown ? drawEveryMs.arcs : undefined
  }

  #draw(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const context = this.#canvas.getContext('2d')
    if (context === null || document.hidden) return
    const nowMs = performance.now()
    this.#drawnMs = nowMs
    context.clearRect(0, 0, ringSize.value.width, ringSize.value.height)
    this.#drawArcs(context, nowMs)
    this.#drawMessages(context, this.#passings(nowMs))
    const paceMs = this.#pace(nowMs)
    if (paceMs !== undefined) this.#timer = setTimeout(() => this.#draw(), paceMs)
  }

  /** Of a moment in the past, and for a reader who asked for little motion, messages stand in the middle of their way. */
  #passings(nowMs: number): readonly Passing[] {
    const live = isPast.value ? this.#still() : this.#flights.passings(nowMs)
    return isStill.value || isPast.value ? live.map((passing) => ({ ...passing, at: 0.5 })) : live
  }

  #still(): readonly Passing[] {
    const flights = new Flights()
    if (this.#frame !== undefined) flights.take(this.#frame, 0, () => 0)
    return flights.passings(0)
  }

  #drawMessages(context: CanvasRenderingContext2D, passings: readonly Passing[]): void {
    const { spots } = places.value
    for (const passing of passings) {
      const [from, to] = [spots.get(passing.message.from), spots.get(passing.message.to)]
      if (from === undefined || to === undefined) continue
      drawMessage(context, passing, pointAt(wayBetween(from, to, asidePx), passing.at), isDark.value)
    }
  }

  #drawArcs(context: CanvasRenderingContext2D, nowMs: number): void {
    for (const node of this.#frame?.nodes ?? []) {
      const spot = places.value.spots.get(node.nodeId)
      const share = this.#shareLeft(node, nowMs)
      if (spot !== undefined && share > 0) drawArc(context, spot, share, node.currentTerm, isDark.value)
    }
  }

  /** The share of the election timer that is left. A node that is frozen keeps what it had. */
  #shareLeft({ electionLeftMs, electionTimeoutMs, state }: NodeFrame, nowMs: number): number {
    if (electionLeftMs === undefined || electionTimeoutMs <= 0) return 0
    const passedMs = state === 'running' && !isPast.value ? nowMs - this.#frameMs : 0
    return Math.max(0, Math.min(1, (electionLeftMs - passedMs) / electionTimeoutMs))
  }
}
