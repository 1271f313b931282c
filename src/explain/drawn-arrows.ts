/** Messages as arrows: from the line of the sender to that of the receiver, or to a cross where they were lost. */
import { type Arrow, nameOf, weightOf } from './arrows.js'
import type { Frame } from './frame.js'
import { span } from './phrases.js'
import { termClass } from './picture-style.js'
import { element, escaped, label, widthOf } from './svg.js'

const headLength = 7
const lineGap = 6
const labelSize = 10

export function drawArrows(arrows: readonly Arrow[], frame: Frame): string[] {
  const usualMs = usualTime(arrows)
  // The most telling ones lie on top.
  const ordered = [...arrows].sort((a, b) => weightOf(a) - weightOf(b))
  const drawn = ordered.map((arrow) => drawArrow(arrow, frame, usualMs))
  const labels = ordered.toReversed().flatMap((arrow) => drawLabel(arrow, frame, usualMs))
  return [...drawn, ...labels]
}

/** The time that a message usually takes, for messages of which the arrival is not known. */
function usualTime(arrows: readonly Arrow[]): number {
  const times = arrows.flatMap(({ sentMs, takenMs }) => (takenMs === undefined ? [] : [takenMs - sentMs]))
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 1
}

interface Ends {
  readonly x1: number
  readonly y1: number
  readonly x2: number
  readonly y2: number
}

function endsOf({ from, to, sentMs, takenMs }: Arrow, { x, y }: Frame, usualMs: number): Ends {
  const down = y(to) > y(from) ? 1 : -1
  return {
    x1: x(sentMs),
    y1: y(from) + down * lineGap,
    x2: x(takenMs ?? sentMs + usualMs),
    y2: y(to) - down * lineGap,
  }
}

function drawArrow(arrow: Arrow, frame: Frame, usualMs: number): string {
  const ends = endsOf(arrow, frame, usualMs)
  const { x1, y1, x2, y2 } = ends
  const { term, type } = arrow
  const weight = weightOf(arrow)
  const look = weight < 1 ? 'faint' : weight === 1 ? 'arrow' : 'telling'
  const answer = type.endsWith('Response') ? ' answer' : ''
  const share = arrow.takenMs === undefined ? 0.55 : 1
  const [endX, endY] = [x1 + share * (x2 - x1), y1 + share * (y2 - y1)]
  const line = { x1, y1, x2: endX, y2: endY, class: `${termClass(term)} ${look}${answer}` }
  const tip = element('title', {}, escaped(tipOf(arrow)))
  const end = endOf(arrow, ends, [endX, endY])
  return element('g', {}, tip, element('line', line), end)
}

/** A head where the message was taken, a cross where it was lost, and nothing where it was still on its way. */
function endOf(arrow: Arrow, ends: Ends, [x, y]: readonly [number, number]): string {
  const isFaint = weightOf(arrow) < 1
  if (arrow.isLost) return crossAt(x, y, isFaint ? 2.5 : 4)
  return isFaint || arrow.takenMs === undefined ? '' : headAt(ends, arrow.term)
}

function headAt({ x1, y1, x2, y2 }: Ends, term: number): string {
  const length = Math.hypot(x2 - x1, y2 - y1) || 1
  const [dx, dy] = [(headLength * (x2 - x1)) / length, (headLength * (y2 - y1)) / length]
  const at = (value: number): string => value.toFixed(1)
  const left = `${at(x2 - dx - dy / 2.5)},${at(y2 - dy + dx / 2.5)}`
  const right = `${at(x2 - dx + dy / 2.5)},${at(y2 - dy - dx / 2.5)}`
  return element('polygon', {
    points: `${at(x2)},${at(y2)} ${left} ${right}`,
    class: termClass(term).replace('t', 'f'),
  })
}

function crossAt(x: number, y: number, size: number): string {
  const stroke = (dy: number): string =>
    element('line', { x1: x - size, y1: y - dy, x2: x + size, y2: y + dy, class: 'badline' })
  return stroke(size) + stroke(-size)
}

function tipOf({ from, to, type, term, mark, sentMs, takenMs, isLost, isYes }: Arrow): string {
  const took = takenMs === undefined ? (isLost ? 'lost' : 'on its way') : span(takenMs - sentMs)
  const answer = isYes === undefined ? '' : isYes ? ', yes' : ', no'
  return `node ${from} to node ${to}: ${type}, term ${term}${answer}, mark ${mark}; ${took}`
}

/** A label stands at a third of its arrow, since arrows that meet at a line stand apart there. */
function drawLabel(arrow: Arrow, frame: Frame, usualMs: number): string[] {
  if (weightOf(arrow) < 1) return []
  const { x1, y1, x2, y2 } = endsOf(arrow, frame, usualMs)
  const isVote = weightOf(arrow) > 1
  const text = isVote && !arrow.type.endsWith('Response') ? `${nameOf(arrow)} ${arrow.term}` : nameOf(arrow)
  const width = widthOf(text, labelSize)
  for (const share of [0.3, 0.5, 0.7]) {
    const [x, y] = [x1 + share * (x2 - x1) + 5, y1 + share * (y2 - y1)]
    const isInside = x > frame.left && x + width < frame.right
    const isOnLine = frame.timeline.story.nodeIds.some((nodeId) => Math.abs(frame.y(nodeId) + 4 - y) < 14)
    if (!isInside || isOnLine || !frame.labels.takes(x, y - labelSize, width, labelSize + 2)) continue
    return [label(x, y, `${termClass(arrow.term).replace('t', 'f')} small halo`, text)]
  }
  return []
}
