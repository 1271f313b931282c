/**
 * Draws what moves in the ring: messages, on a canvas, and the arcs of election timers. Nothing is drawn while nothing
 * moves, or while nobody sees the page.
 */
import { effect } from '@preact/signals'
import type { Frame, NodeFrame } from '../observer/index.js'
import { Flights, type Passing } from './flights.js'
import { drawMessage, markSize } from './message-marks.js'
import { pointAt, wayBetween } from './ring-geometry.js'
import { places, ringSize, wayLook } from './ring-state.js'
import { frames, isPast, shownFrame } from './store.js'
import { isDark, isStill } from './theme.js'

/** Milliseconds between two draws: heartbeats alone need fewer. */
const drawEveryMs = { calm: 50, busy: 33 }
/** A timer that is fuller than this is drawn in few steps: each heartbeat fills it anew. */
const fullShare = 0.7
const fullSteps = 8
/** The two directions of a link pass each other at this distance from its middle. */
const asidePx = 3.5

export class RingMotion {
  readonly #canvas: HTMLCanvasElement
  readonly #flights = new Flights()
  /** Arcs by node, with the share of them that is drawn. */
  readonly #arcs = new Map<number, { readonly element: SVGElement; drawn: number }>()
  #frame: Frame | undefined
  /** The time on the page's clock when the frame came. */
  #frameMs = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  /** What the last draw has left on the canvas: it is wiped out before the next one. */
  #drawn: readonly { readonly x: number; readonly y: number }[] = []
  readonly #end: () => void

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas
    const ends = [effect(() => this.#resize()), effect(() => this.#take(shownFrame.value))]
    this.#end = () => {
      for (const end of ends) end()
    }
  }

  close(): void {
    this.#end()
    clearTimeout(this.#timer)
  }

  /** The arc of a node is drawn from now on, or, if there is none, no more. */
  setArc(nodeId: number, element: SVGElement | null): void {
    if (element === null) this.#arcs.delete(nodeId)
    else this.#arcs.set(nodeId, { element, drawn: Number.NaN })
    this.#start()
  }

  #resize(): void {
    const { width, height } = ringSize.value
    const scale = Math.min(2, devicePixelRatio)
    this.#canvas.width = Math.round(width * scale)
    this.#canvas.height = Math.round(height * scale)
    this.#canvas.getContext('2d')?.scale(scale, scale)
    this.#drawn = []
  }

  #take(frame: Frame | undefined): void {
    if (frame === undefined || frame === this.#frame) return
    const nowMs = performance.now()
    // Frames that come many at once are the past.
    const isNext = frame.number > (this.#frame?.number ?? frame.number) && frame === frames.value.at(-1)
    if (!isNext || isPast.value || document.hidden) this.#flights.clear()
    this.#frame = frame
    this.#frameMs = nowMs
    if (isNext && !isPast.value && !document.hidden)
      this.#flights.take(frame, nowMs, (from, to) => wayLook(from, to).slowMs)
    this.#start()
  }

  #start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#draw()
  }

  #draw(): void {
    if (document.hidden) return
    const nowMs = performance.now()
    const isArcMoving = this.#drawArcs(nowMs)
    this.#drawMessages(this.#passings(nowMs))
    const isMoving = !isPast.value && (isArcMoving || (!isStill.value && this.#flights.isMoving(nowMs)))
    if (!isMoving) return
    const isCalm = !isArcMoving && this.#flights.isCalm(nowMs)
    this.#timer = setTimeout(() => this.#draw(), isCalm ? drawEveryMs.calm : drawEveryMs.busy)
  }

  /** Of a moment in the past, and for a reader who asked for little motion, messages stand in the middle of their way. */
  #passings(nowMs: number): readonly Passing[] {
    if (!isPast.value) {
      const passings = this.#flights.passings(nowMs)
      return isStill.value ? passings.map((passing) => ({ ...passing, at: 0.5 })) : passings
    }
    const still = new Flights()
    if (this.#frame !== undefined) still.take(this.#frame, 0, () => 0)
    return still.passings(0).map((passing) => ({ ...passing, at: 0.5 }))
  }

  #drawMessages(passings: readonly Passing[]): void {
    const context = this.#canvas.getContext('2d')
    if (context === null) return
    const { spots } = places.value
    for (const { x, y } of this.#drawn)
      context.clearRect(x - markSize, y - markSize, 2 * markSize, 2 * markSize)
    this.#drawn = passings.flatMap((passing) => {
      const [from, to] = [spots.get(passing.message.from), spots.get(passing.message.to)]
      if (from === undefined || to === undefined) return []
      const point = pointAt(wayBetween(from, to, asidePx), passing.at)
      drawMessage(context, passing, point, isDark.value)
      return [point]
    })
  }

  /** True while some timer runs down visibly. */
  #drawArcs(nowMs: number): boolean {
    let isMoving = false
    for (const node of this.#frame?.nodes ?? []) {
      const arc = this.#arcs.get(node.nodeId)
      if (arc === undefined) continue
      const share = this.#shareLeft(node, nowMs)
      isMoving ||= share > 0 && share < fullShare && node.state === 'running'
      const drawn =
        share >= fullShare ? Math.ceil(share * fullSteps) / fullSteps : Math.round(share * 200) / 200
      if (drawn === arc.drawn) continue
      arc.drawn = drawn
      arc.element.setAttribute('stroke-dasharray', `${drawn * 100} 100`)
    }
    return isMoving
  }

  /** The share of the election timer that is left. A node that is frozen keeps what it had. */
  #shareLeft({ electionLeftMs, electionTimeoutMs, state }: NodeFrame, nowMs: number): number {
    if (electionLeftMs === undefined || electionTimeoutMs <= 0) return 0
    const passedMs = state === 'running' && !isPast.value ? nowMs - this.#frameMs : 0
    return Math.max(0, Math.min(1, (electionLeftMs - passedMs) / electionTimeoutMs))
  }
}
