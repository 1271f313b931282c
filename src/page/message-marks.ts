/** Marks of the ring on a canvas: arcs of election timers, and messages: a form for each kind, hollow for an answer, crossed out for a no. */

import type { Term } from '../raft/index.js'
import type { Passing } from './flights.js'
import { termOnCanvas } from './palette.js'
import type { Point, Spot } from './ring-geometry.js'
import { outlines, type ShapeKind } from './shapes.js'

const noColour = { light: '#b3261e', dark: '#ff8a7a' }
const paper = { light: '#ffffff', dark: '#1b1f24' }

/** From the rim of a node to the middle of its arc. */
export const arcGap = 5

type Context = CanvasRenderingContext2D

/** Made when the first message is drawn: there is no canvas where the module is only imported. */
const paths = new Map<ShapeKind, Path2D>()

function pathOf(kind: ShapeKind): Path2D {
  const path = paths.get(kind) ?? new Path2D(outlines[kind])
  paths.set(kind, path)
  return path
}

export function drawMessage(
  context: Context,
  { message, shape, opacity }: Passing,
  { x, y }: Point,
  isDark: boolean,
): void {
  const theme = isDark ? 'dark' : 'light'
  const isNo = message.isYes === false
  context.save()
  context.translate(x, y)
  context.globalAlpha = Math.max(0, opacity)
  context.strokeStyle = isNo ? noColour[theme] : termOnCanvas(message.term, isDark)
  context.fillStyle = shape.isAnswer ? paper[theme] : context.strokeStyle
  context.lineWidth = 1.8
  const path = pathOf(shape.kind)
  context.fill(path)
  context.stroke(path)
  if (isNo) cross(context)
  context.restore()
}

function cross(context: Context): void {
  context.beginPath()
  context.moveTo(-5, -5)
  context.lineTo(5, 5)
  context.moveTo(5, -5)
  context.lineTo(-5, 5)
  context.stroke()
}

/** The arc around a node, from the top clockwise, as long as the share of its election timer that is left. */
export function drawArc(
  context: Context,
  { x, y, r }: Spot,
  share: number,
  term: Term,
  isDark: boolean,
): void {
  context.beginPath()
  context.arc(x, y, r + arcGap, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * share)
  context.lineWidth = 3.5
  context.strokeStyle = termOnCanvas(term, isDark)
  context.stroke()
}
