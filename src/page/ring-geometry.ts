/** Places of nodes and links in the ring: plain figures, in CSS pixels from the upper left corner. */
import type { NodeFrame } from '../observer/index.js'
import type { End } from './store.js'

export interface Point {
  readonly x: number
  readonly y: number
}

/** A circle, and the side on which it has room for words. */
export interface Spot extends Point {
  readonly r: number
  readonly side: 'left' | 'right' | 'below'
}

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Places {
  readonly spots: ReadonlyMap<End, Spot>
  /** True where there is room for words beside each node. */
  readonly hasWords: boolean
}

const margin = { beside: 112, above: 50, below: 50 }
/** More nodes than these, or a narrower ring, leave no room for words beside nodes. */
const words = { nodesMax: 9, widthMin: 430 }
const radius = { most: 27, least: 9, learner: 0.75, clients: 24 }

/**
 * Voters stand on an ellipse, clockwise from the top, in the order of their ids; nodes without a vote stand in a column
 * on its right; the clients stand in the middle.
 */
export function placesOf(
  nodes: readonly Pick<NodeFrame, 'nodeId' | 'member'>[],
  { width, height }: Size,
): Places {
  const sorted = [...nodes].sort((a, b) => a.nodeId - b.nodeId)
  const isApart = ({ member }: Pick<NodeFrame, 'member'>) => member === 'learner' || member === 'none'
  const voters = sorted.filter((node) => !isApart(node))
  const apart = sorted.filter(isApart)
  const hasWords = nodes.length <= words.nodesMax && width >= words.widthMin
  const beside = hasWords ? margin.beside : 30
  const column = apart.length === 0 ? 0 : Math.min(110, width / 4)
  const [rx, ry] = [
    Math.max(20, (width - column) / 2 - beside),
    Math.max(20, (height - margin.above - margin.below) / 2),
  ]
  const r = radiusOf(voters.length, Math.min(rx, ry * 1.4), ry)
  const [first, last] = [-1, lowestOf(voters.length)]
  const heightOf = (sine: number) => margin.above + (2 * ry * (sine - first)) / (last - first)
  const centre = { x: (width - column) / 2, y: heightOf(0) }
  const spots = new Map<End, Spot>([
    ['clients', { ...centre, r: Math.min(radius.clients, ry / 3), side: 'below' }],
  ])
  for (const [at, { nodeId }] of voters.entries()) {
    const angle = (2 * Math.PI * at) / voters.length - Math.PI / 2
    const x = centre.x + Math.min(rx, ry * 1.4) * Math.cos(angle)
    spots.set(nodeId, { x, y: heightOf(Math.sin(angle)), r, side: sideOf(angle) })
  }
  for (const [at, { nodeId }] of apart.entries()) {
    const y = (height * (at + 1)) / (apart.length + 1)
    spots.set(nodeId, { x: width - column / 2, y, r: r * radius.learner, side: 'below' })
  }
  return { spots, hasWords }
}

/** The sine of the lowest node: the ring is stretched to the whole height, which an odd number of nodes would not fill. */
function lowestOf(count: number): number {
  return count < 2 ? 1 : Math.sin((2 * Math.PI * Math.floor(count / 2)) / count - Math.PI / 2)
}

/** As large as neighbours on the ring leave room for. */
function radiusOf(count: number, rx: number, ry: number): number {
  const chord = 2 * Math.min(rx, ry) * Math.sin(Math.PI / Math.max(2, count))
  return Math.max(radius.least, Math.min(radius.most, chord / 3, ry / 2.2))
}

function sideOf(angle: number): Spot['side'] {
  return Math.cos(angle) < -0.01 ? 'left' : 'right'
}

/** A straight way from the rim of one circle to that of another, `aside` pixels to the right of the middle line. */
export function wayBetween(from: Spot, to: Spot, aside = 0): readonly [Point, Point] {
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  const length = Math.hypot(dx, dy) || 1
  const [ux, uy] = [dx / length, dy / length]
  const gap = 6
  const shift = { x: -uy * aside, y: ux * aside }
  const [start, end] = [Math.min(from.r + gap, length / 2), Math.max(length - to.r - gap, length / 2)]
  return [
    { x: from.x + ux * start + shift.x, y: from.y + uy * start + shift.y },
    { x: from.x + ux * end + shift.x, y: from.y + uy * end + shift.y },
  ]
}

/** The point at a share of the way, 0 to 1. */
export function pointAt([from, to]: readonly [Point, Point], share: number): Point {
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share }
}

/** Half of the box of the clients, and some room around it: what is drawn there is hidden. */
const hidden = { x: 46, y: 22 }
/** Shares of a way, tried one after the other. */
const tried = [0, -0.14, 0.14, -0.21, 0.21, -0.28, 0.28]

/** The share of a way nearest to the one that is wished at which a mark is not hidden by the clients. */
export function seenShare(line: readonly [Point, Point], clients: Point | undefined, wished: number): number {
  const isSeen = (share: number): boolean => {
    const { x, y } = pointAt(line, share)
    return clients === undefined || Math.abs(x - clients.x) > hidden.x || Math.abs(y - clients.y) > hidden.y
  }
  const seen = tried.find((more) => isSeen(wished + more)) ?? 0
  return wished + seen
}

/** Where words stand beside a way, line below line. */
export interface WordsPlace extends Point {
  readonly anchor: 'start' | 'middle' | 'end'
}

const wordsAway = { beside: 12, aboveOrBelow: 8 }
export const wordsLinePx = 12

/**
 * The place of the first of `lines` lines of words beside a way, so that they cover neither the way nor its marks: on the
 * right of its direction, or on the side that is away from a point.
 */
export function wordsBeside(
  [from, to]: readonly [Point, Point],
  at: Point,
  lines: number,
  awayFrom?: Point,
): WordsPlace {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1
  const right = { x: -(to.y - from.y) / length, y: (to.x - from.x) / length }
  const isTowards =
    awayFrom !== undefined && right.x * (awayFrom.x - at.x) + right.y * (awayFrom.y - at.y) > 0
  const side = isTowards ? { x: -right.x, y: -right.y } : right
  const height = (lines - 1) * wordsLinePx
  if (Math.abs(side.x) > 0.4)
    return {
      x: at.x + side.x * wordsAway.beside,
      y: at.y + side.y * wordsAway.beside - height / 2,
      anchor: side.x > 0 ? 'start' : 'end',
    }
  const away = wordsAway.aboveOrBelow + wordsLinePx / 2
  return { x: at.x, y: side.y > 0 ? at.y + away : at.y - away - height, anchor: 'middle' }
}

/** The end whose circle, a little widened, holds the point. */
export function endAt(spots: ReadonlyMap<End, Spot>, { x, y }: Point): End | undefined {
  for (const [end, spot] of spots) if (Math.hypot(spot.x - x, spot.y - y) <= spot.r + 10) return end
  return undefined
}
