/**
 * A space-time picture of a stretch of a story, as SVG text: one line a node, messages as arrows, terms by colour, roles
 * by shape, faults shaded. Numbers on the lines are those of the list below, which tells each change with its reason.
 */
import { describeEvent, type Happened, type Story } from '../telemetry/index.js'
import { type Arrow, arrowsIn, thinned, weightOf } from './arrows.js'
import { barsOf, drawBars } from './bars.js'
import { drawArrows } from './drawn-arrows.js'
import { electionOf, lastStepOf } from './election.js'
import type { Frame } from './frame.js'
import { staysOf } from './life-lines.js'
import { span } from './phrases.js'
import { drawLegend, legendWidth } from './picture-legend.js'
import { pictureStyle, termClass } from './picture-style.js'
import { PlacedLabels } from './placed-labels.js'
import { overlaps, type Stretch } from './stretch.js'
import { element, label } from './svg.js'
import { TimeScale } from './time-scale.js'
import { type Obstacle, type Timeline, timelineOf } from './timeline.js'

/** Milliseconds from the story's first moment on. Default: around the latest election, or the end of the story. */
export interface PictureWindow {
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

const margin = 24
const nodeColumn = 80
const rowHeight = 130
const headHeight = 104
const barHeight = 20
const lineHeight = 18
/** Changes that are told below the picture. */
const notesMax = 60

/** Throws a `RangeError` for a window that ends before it begins. */
export function picture(story: Story, given: PictureWindow = {}): string {
  const timeline = timelineOf(story)
  const window = windowOf(timeline, given)
  const { drawn, leftOut } = thinned(arrowsIn(timeline, window))
  const notes = story.happened.filter((each) => isNote(each) && within(window, each.atMs))
  const scale = new TimeScale(window, momentsOf(drawn, notes))
  const bars = barsOf(timeline, window)
  const left = margin + nodeColumn
  const linesTop = headHeight + bars.length * barHeight + 64
  const frame: Frame = {
    timeline,
    window,
    x: (ms) => left + scale.x(ms),
    y: (nodeId) => linesTop + story.nodeIds.indexOf(nodeId) * rowHeight,
    left,
    right: left + scale.width,
    labels: new PlacedLabels(),
  }
  const bottom = linesTop + (story.nodeIds.length - 1) * rowHeight + 48
  const [width, height] = [
    Math.max(legendWidth, frame.right) + 2 * margin,
    bottom + 52 + Math.min(notes.length, notesMax + 1) * lineHeight + margin,
  ]
  const parts = [
    element('rect', { width, height, class: 'paper' }),
    ...drawHead(frame, leftOut),
    ...drawAxis(frame, scale, bottom),
    ...drawBars(bars, frame, headHeight, barHeight, bottom),
    element('g', { 'clip-path': 'url(#plot)' }, ...drawLines(frame), ...drawArrows(drawn, frame)),
    ...drawNotes(notes, frame, bottom + 60),
    ...story.nodeIds.map((nodeId) => label(margin, frame.y(nodeId) + 4, 'ink bold', `node ${nodeId}`)),
    ...drawLegend(frame, drawn, 52),
  ]
  return documentOf(width, height, frame, parts)
}

function documentOf(width: number, height: number, { left, right }: Frame, parts: readonly string[]): string {
  const title = 'Messages and roles of a Raft cluster over time'
  const clip = element('rect', { x: left, y: 0, width: right - left, height })
  const head = [
    element('title', {}, title),
    element('style', {}, pictureStyle),
    element('defs', {}, element('clipPath', { id: 'plot' }, clip)),
  ]
  const size = { width, height, viewBox: `0 0 ${Math.round(width)} ${Math.round(height)}` }
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', ...size, role: 'img', 'aria-label': title }
  return `${element('svg', attributes, ...head.map((each) => `\n${each}`), ...parts.map((each) => `\n${each}`), '\n')}\n`
}

function windowOf(timeline: Timeline, { fromMs, toMs }: PictureWindow): Stretch {
  const { beganMs, endedMs, story } = timeline
  const around = defaultWindow(timeline)
  const sinceMs = fromMs === undefined ? (toMs === undefined ? around.sinceMs : beganMs) : beganMs + fromMs
  const untilMs = toMs === undefined ? (fromMs === undefined ? around.untilMs : endedMs) : beganMs + toMs
  if (!(sinceMs < untilMs)) {
    const length = span(endedMs - beganMs)
    throw new RangeError(`the picture's window is empty; the story lasts ${length} from its first moment`)
  }
  return { sinceMs, untilMs: Math.max(untilMs, sinceMs + story.tickMs / 100) }
}

function defaultWindow(timeline: Timeline): Stretch {
  const { beganMs, endedMs } = timeline
  const { heartbeatIntervalMs } = timeline.story
  const step = lastStepOf(timeline, undefined)
  const election = step && electionOf(timeline, step)
  const [sinceMs, untilMs] =
    election === undefined
      ? [endedMs - 20 * heartbeatIntervalMs, endedMs]
      : [election.leaderlessSinceMs - 3 * heartbeatIntervalMs, election.atMs + heartbeatIntervalMs]
  return { sinceMs: Math.max(beganMs, sinceMs), untilMs: Math.max(beganMs + 1, Math.min(endedMs, untilMs)) }
}

function within({ sinceMs, untilMs }: Stretch, ms: number): boolean {
  return sinceMs <= ms && ms <= untilMs
}

/** True for a change that is numbered on its node's line. */
function isNote({ type, nodeId }: Happened): boolean {
  return nodeId > 0 && (type === 'role' || type === 'killed' || type === 'failed' || type === 'started')
}

/** Heartbeats come evenly, and need no room of their own. */
function momentsOf(arrows: readonly Arrow[], notes: readonly Happened[]): number[] {
  const telling = arrows.filter((arrow) => weightOf(arrow) >= 1)
  return [
    ...telling.flatMap(({ sentMs, takenMs = sentMs }) => [sentMs, takenMs]),
    // A number on the line is wider than an arrow.
    ...notes.flatMap(({ atMs }) => [atMs - 0.001, atMs, atMs + 0.001]),
  ]
}

function drawHead({ timeline, window, left }: Frame, leftOut: number): string[] {
  const { beganMs } = timeline
  const [from, to] = [window.sinceMs - beganMs, window.untilMs - beganMs].map((ms) => `${Math.round(ms)} ms`)
  const more = leftOut === 0 ? '' : `; ${leftOut} heartbeats and entries on their way are not drawn`
  return [
    label(margin, 30, 'ink title', `From ${from} to ${to} of the story`),
    label(left + 260, 30, 'soft', `Time runs from left to right, and slower where more happens${more}`),
  ]
}

function drawAxis({ timeline, left, right }: Frame, scale: TimeScale, bottom: number): string[] {
  const places = Math.max(2, Math.floor((right - left) / 110))
  return Array.from({ length: places + 1 }, (_, at) => {
    const place = (at / places) * scale.width
    const ms = scale.at(place) - timeline.beganMs
    const x = left + place
    const line = element('line', { x1: x, y1: headHeight - 8, x2: x, y2: bottom, class: 'grid' })
    return line + label(x, bottom + 16, 'soft small middle', `${ms.toFixed(1)} ms`)
  })
}

function drawLines(frame: Frame): string[] {
  const { timeline, window, x, y } = frame
  return timeline.story.nodeIds.flatMap((nodeId) => {
    const stays = staysOf(timeline, nodeId, window).map(({ role, term, sinceMs, untilMs }) => {
      const className = role === 'down' ? 'edge down' : `${termClass(term)} ${role}`
      const ends = { x1: x(sinceMs), x2: x(untilMs), y1: y(nodeId), y2: y(nodeId) }
      return element('line', { ...ends, class: className })
    })
    const still = timeline.obstacles
      .filter((each) => each.nodeId === nodeId && each.type in stillWords && overlaps(each, window))
      // A thread that was frozen tells that it stood still.
      .filter((each, _, all) => each.type !== 'threadStood' || all.every((other) => isOther(other, each)))
      .map(({ type, sinceMs, untilMs }) => {
        const from = Math.max(x(Math.max(sinceMs, window.sinceMs)), frame.left)
        const to = x(Math.min(untilMs, window.untilMs))
        const words = stillWords[type] ?? ''
        const rect = element('rect', {
          x: from,
          y: y(nodeId) - 11,
          width: to - from,
          height: 22,
          class: 'still',
        })
        return rect + label(from + 4, y(nodeId) + 23, 'soft small halo', words)
      })
    return [...stays, ...still]
  })
}

function isOther(one: Obstacle, other: Obstacle): boolean {
  return one === other || !overlaps(one, other)
}

const stillWords: Readonly<Record<string, string>> = {
  paused: 'frozen',
  threadStood: 'thread stood still',
  disk: 'waits for its disk',
}

function drawNotes(notes: readonly Happened[], { timeline, x, y, labels }: Frame, top: number): string[] {
  const { story, beganMs } = timeline
  const marks = notes.slice(0, notesMax).map((note, at) => {
    const [cx, line] = [x(note.atMs), y(note.nodeId)]
    // Numbers that stand close are put above each other.
    let cy = line - 20
    while (cy > line - 62 && !labels.takes(cx - 8, cy - 8, 16, 16)) cy -= 15
    const stem = element('line', { x1: cx, y1: line, x2: cx, y2: cy, class: 'edge' })
    const circle = element('circle', { cx, cy, r: 8, class: 'mark' })
    return stem + circle + label(cx, cy + 3.5, 'ink small middle', String(at + 1))
  })
  const lines = notes.slice(0, notesMax).map((note, at) => {
    const row = top + at * lineHeight
    const when = `${(note.atMs - beganMs).toFixed(1)} ms`
    const what = `node ${note.nodeId} ${describeEvent(note, story.tickMs)}`
    const number = label(margin + 20, row, 'soft end', String(at + 1))
    return number + label(margin + 100, row, 'soft end', when) + label(margin + 116, row, 'ink', what)
  })
  const more = notes.length - notesMax
  if (more > 0) lines.push(label(margin, top + notesMax * lineHeight, 'soft', `and ${more} more`))
  return [...marks, ...lines]
}
