/** Draws the logs of all nodes on a canvas: a row a node, an entry a cell, and far away a term a band. */
import type { Frame, NodeFrame } from '../observer/index.js'
import type { LogIndex, NodeId } from '../raft/index.js'
import type { ProgressTold } from '../telemetry/index.js'
import type { Paper } from './drawing.js'
import type { Inks } from './inks.js'
import { type LogSpan, spansOf } from './log-spans.js'
import { indexAt, type LogWindow, xOf } from './log-window.js'
import { termOnCanvas } from './palette.js'

/** An entry of the log of one node. */
export interface EntryAt {
  readonly nodeId: NodeId
  readonly index: LogIndex
}

export interface LogScene {
  readonly frame: Frame
  readonly window: LogWindow
  readonly pointed: EntryAt | undefined
  readonly isDark: boolean
  readonly inks: Inks
}

/** The names of nodes stand on the left, the indexes of entries above. */
export const labelPx = 50
export const axisPx = 16
const rowPxLeast = 26
const rowPxMost = 46
/** Above the cells of a row, and below them, where the marks of the leader stand. */
const abovePx = 4
const belowPx = 11
/** The least width of a cell: narrower entries are drawn as bands. */
const cellPxMin = 3
const numberPxMin = 15

/** The least height at which all nodes can be read. */
export function heightFor(nodes: number): number {
  return axisPx + nodes * rowPxLeast
}

export function rowPxOf(heightPx: number, nodes: number): number {
  return Math.min(Math.max((heightPx - axisPx) / nodes, rowPxLeast), rowPxMost)
}

export function drawLogs({ context, widthPx, heightPx }: Paper, scene: LogScene): void {
  const { frame, inks } = scene
  const rowPx = rowPxOf(heightPx, frame.nodes.length)
  const innerPx = widthPx - labelPx
  context.save()
  context.translate(labelPx, 0)
  drawAxis(context, scene, innerPx)
  context.restore()
  const leader = frame.nodes.find(({ nodeId }) => nodeId === frame.leaderId)
  for (const [row, node] of frame.nodes.entries()) {
    const progress = leader?.progress.find(({ nodeId }) => nodeId === node.nodeId)
    context.save()
    context.translate(0, axisPx + row * rowPx)
    drawLabel(context, node, node === leader, rowPx, scene)
    context.beginPath()
    context.rect(labelPx, 0, innerPx, rowPx)
    context.clip()
    context.translate(labelPx, 0)
    context.globalAlpha = node.state === 'running' ? 1 : 0.45
    new Row(context, scene, node, { widthPx: innerPx, rowPx }).draw(progress)
    context.restore()
  }
  if (scene.pointed !== undefined) drawPointed(context, scene, scene.pointed, rowPx, innerPx)
  context.strokeStyle = inks.line
  line(context, labelPx - 0.5, axisPx, labelPx - 0.5, axisPx + rowPx * frame.nodes.length)
}

function drawAxis(context: CanvasRenderingContext2D, { window, inks }: LogScene, widthPx: number): void {
  const step = stepFor(64 / window.entryPx)
  context.fillStyle = inks.soft
  context.strokeStyle = inks.line
  context.font = '10px system-ui, sans-serif'
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  const last = indexAt(window, widthPx)
  for (let index = Math.max(1, Math.ceil(window.left / step) * step); index <= last; index += step) {
    const x = xOf(window, index) + Math.min(window.entryPx / 2, 12)
    if (x > 10 && x < widthPx - 14) context.fillText(index.toLocaleString('en'), x, axisPx / 2)
  }
}

/** The least of 1, 2, 5, 10, 20, 50, … that is not below `least`. */
export function stepFor(least: number): number {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(least)))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power
}

/** Nodes that do not run are told apart by more than a paler log. */
const stateMarks = { running: '', paused: '❄\uFE0E', stopped: '✕', failed: '!' } as const

function drawLabel(
  context: CanvasRenderingContext2D,
  node: NodeFrame,
  isLeader: boolean,
  rowPx: number,
  { inks, isDark }: LogScene,
): void {
  const middle = abovePx + (rowPx - abovePx - belowPx) / 2
  context.textAlign = 'left'
  context.textBaseline = 'middle'
  context.font = `${isLeader ? 600 : 400} 12px system-ui, sans-serif`
  context.fillStyle = node.state === 'running' ? inks.ink : inks.soft
  context.fillText(isLeader ? '★' : stateMarks[node.state], 4, middle)
  context.fillText(String(node.nodeId), 17, middle)
  context.font = '10px system-ui, sans-serif'
  context.textAlign = 'right'
  context.fillStyle = termOnCanvas(node.currentTerm, isDark)
  context.fillText(`T${node.currentTerm}`, labelPx - 5, middle)
}

/** The log of one node. The left edge of the window is at 0, the upper edge of the row too. */
class Row {
  readonly #context: CanvasRenderingContext2D
  readonly #scene: LogScene
  readonly #node: NodeFrame
  readonly #widthPx: number
  readonly #barPx: number

  constructor(
    context: CanvasRenderingContext2D,
    scene: LogScene,
    node: NodeFrame,
    size: { readonly widthPx: number; readonly rowPx: number },
  ) {
    this.#context = context
    this.#scene = scene
    this.#node = node
    this.#widthPx = size.widthPx
    this.#barPx = size.rowPx - abovePx - belowPx
  }

  draw(progress: ProgressTold | undefined): void {
    const { firstIndex, lastIndex, flushedIndex, lastApplied } = this.#node
    const { window, inks } = this.#scene
    this.#drawCut()
    for (const span of spansOf(this.#node, window, this.#widthPx)) {
      if (window.entryPx < cellPxMin) this.#drawBand(span)
      else for (let index = span.from; index <= span.to; index++) this.#drawCell(index, span)
    }
    // A line above what is on the disk, and one below what is applied.
    this.#drawReach(firstIndex, Math.min(flushedIndex, lastIndex), abovePx - 2, inks.edge)
    this.#drawReach(firstIndex, Math.min(lastApplied, lastIndex), abovePx + this.#barPx + 1.5, inks.ink)
    this.#drawSnapshot()
    if (progress !== undefined) this.#drawProgress(progress)
  }

  /** Entries that only the snapshot holds, as one block. */
  #drawCut(): void {
    const { firstIndex, snapshotIndex } = this.#node
    const { window, inks } = this.#scene
    const [from, to] = [Math.max(0, xOf(window, 1)), Math.min(this.#widthPx, xOf(window, firstIndex))]
    if (firstIndex <= 1 || to <= from) return
    const context = this.#context
    context.save()
    context.beginPath()
    context.rect(from, abovePx, to - from - 1, this.#barPx)
    context.fillStyle = inks.line
    context.fill()
    context.clip()
    context.strokeStyle = inks.card
    context.lineWidth = 2
    for (let x = from - this.#barPx; x < to; x += 7)
      line(context, x, abovePx + this.#barPx, x + this.#barPx, abovePx)
    context.restore()
    if (to - from > 110)
      this.#write(`snapshot to ${snapshotIndex.toLocaleString('en')}`, (from + to) / 2, inks.ink)
  }

  #drawBand({ from, to, term, isCommitted }: LogSpan): void {
    const { window } = this.#scene
    const context = this.#context
    const x = xOf(window, from)
    const alpha = context.globalAlpha
    context.fillStyle = this.#colourOf(term)
    if (!isCommitted) context.globalAlpha = alpha * 0.35
    context.fillRect(x, abovePx, Math.max(1, xOf(window, to + 1) - x), this.#barPx)
    context.globalAlpha = alpha
  }

  #drawCell(index: LogIndex, { term, isCommitted }: LogSpan): void {
    const { window, inks } = this.#scene
    const context = this.#context
    const gap = window.entryPx > 8 ? 2 : 1
    const [x, width] = [xOf(window, index), window.entryPx - gap]
    const colour = this.#colourOf(term)
    if (isCommitted) {
      context.fillStyle = colour
      context.fillRect(x, abovePx, width, this.#barPx)
    } else {
      context.strokeStyle = colour
      context.setLineDash([3, 2])
      context.strokeRect(x + 0.5, abovePx + 0.5, width - 1, this.#barPx - 1)
      context.setLineDash([])
    }
    if (window.entryPx >= numberPxMin && term !== undefined && String(term).length * 7 < width)
      this.#write(String(term), x + width / 2, isCommitted ? inks.card : colour)
  }

  #drawReach(from: LogIndex, to: LogIndex, y: number, colour: string): void {
    if (to < from) return
    const { window } = this.#scene
    const context = this.#context
    context.strokeStyle = colour
    context.lineWidth = 1
    line(context, Math.max(0, xOf(window, from)), y, xOf(window, to + 1) - 1, y)
  }

  /** The last entry that the snapshot holds, where the log holds it too. */
  #drawSnapshot(): void {
    const { snapshotIndex, firstIndex } = this.#node
    if (snapshotIndex < firstIndex) return
    const { window, inks } = this.#scene
    const context = this.#context
    const x = xOf(window, snapshotIndex + 1) - 1
    context.strokeStyle = inks.ink
    context.lineWidth = 2
    line(context, x, 0, x, abovePx + this.#barPx)
    context.strokeRect(x - 5, abovePx + this.#barPx + 4, 5, 4)
  }

  /** The leader's knowledge of the node: a dot below the match, an arrow to the next entry. */
  #drawProgress({ matchIndex, nextIndex, isSnapshotSent }: ProgressTold): void {
    const { window, inks } = this.#scene
    const context = this.#context
    const y = abovePx + this.#barPx + 6.5
    const middleOf = (index: LogIndex): number => xOf(window, index) + Math.min(window.entryPx, 24) / 2
    const [match, next] = [middleOf(matchIndex), middleOf(nextIndex)]
    context.fillStyle = inks.accent
    context.beginPath()
    if (matchIndex > 0) context.arc(match, y, 2.5, 0, 2 * Math.PI)
    context.fill()
    context.beginPath()
    context.moveTo(next, y - 4)
    context.lineTo(next + 3.5, y + 3)
    context.lineTo(next - 3.5, y + 3)
    context.fill()
    // A match beyond the left edge is told in words.
    const words = isSnapshotSent ? 'takes in a snapshot' : `◂ match ${matchIndex.toLocaleString('en')}`
    if (!isSnapshotSent && match > 0) return
    context.font = '10px system-ui, sans-serif'
    context.textAlign = 'left'
    context.fillText(words, 3, y + 0.5)
  }

  #colourOf(term: number | undefined): string {
    const { isDark, inks } = this.#scene
    return term === undefined ? inks.edge : termOnCanvas(term, isDark)
  }

  #write(text: string, x: number, colour: string): void {
    const context = this.#context
    context.font = '10px system-ui, sans-serif'
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.fillStyle = colour
    context.fillText(text, x, abovePx + this.#barPx / 2 + 0.5)
  }
}

/** Draws a frame around the entry that is pointed at, and shades its column in all logs. */
function drawPointed(
  context: CanvasRenderingContext2D,
  { frame, window, inks }: LogScene,
  { nodeId, index }: EntryAt,
  rowPx: number,
  widthPx: number,
): void {
  const row = frame.nodes.findIndex((node) => node.nodeId === nodeId)
  const x = labelPx + xOf(window, index)
  const width = Math.max(window.entryPx, 2)
  if (row < 0 || x < labelPx - width || x > labelPx + widthPx) return
  context.save()
  context.beginPath()
  context.rect(labelPx, 0, widthPx, axisPx + rowPx * frame.nodes.length)
  context.clip()
  context.globalAlpha = 0.14
  context.fillStyle = inks.ink
  context.fillRect(x - 1, axisPx, width, rowPx * frame.nodes.length)
  context.globalAlpha = 1
  context.strokeStyle = inks.ink
  context.lineWidth = 2
  context.strokeRect(x - 2, axisPx + row * rowPx + abovePx - 2, width + 2, rowPx - abovePx - belowPx + 4)
  context.restore()
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath()
  context.moveTo(x1, y1)
  context.lineTo(x2, y2)
  context.stroke()
}
