/** The logs of all nodes beside each other: to be zoomed, moved, and asked what an entry is. */
import { computed, signal, useSignalEffect } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Frame } from '../observer/index.js'
import { type Size, useDrawing } from './drawing.js'
import { inks } from './inks.js'
import { axisPx, drawLogs, type EntryAt, heightFor, labelPx, rowPxOf } from './log-drawing.js'
import { entryInWords, pointed, readEntry, readPointed } from './log-entry.js'
import { LogFigures } from './log-figures.js'
import { firstWindow, indexAt, type LogWindow, moved, settled, showing, whole, zoomed } from './log-window.js'
import './logs-view.css'
import { question, shownFrame, shownNodes } from './store.js'
import { isDark } from './theme.js'

const size = signal<Size>({ widthPx: 0, heightPx: 0 })
/** The window as it was last moved. `seen` is the one that is drawn. */
const chosenWindow = signal<LogWindow>(firstWindow)

const lastIndex = computed(() => shownNodes.value.reduce((most, node) => Math.max(most, node.lastIndex), 0))
const room = computed(() => ({
  lastIndex: lastIndex.value,
  widthPx: Math.max(1, size.value.widthPx - labelPx),
}))
const seen = computed(() => settled(chosenWindow.value, room.value))

const nodeCount = computed(() => shownNodes.value.length)
const entryTold = computed(() => {
  const told = pointed.value
  const node = told && shownNodes.value.find(({ nodeId }) => nodeId === told.nodeId)
  if (told === undefined || node === undefined)
    return 'point at an entry; a click shows its way across all nodes'
  const read = readEntry.value
  return entryInWords(node, told.index, read?.nodeId === told.nodeId ? read : undefined)
})

/** The figures of a frame that the drawing shows: a frame with the same ones is not drawn. */
const drawnOfFrame = computed(() =>
  JSON.stringify([shownFrame.value?.leaderId, shownNodes.value.map(drawnOf)]),
)

function drawnOf(node: Frame['nodes'][number]): unknown {
  const { nodeId, state, currentTerm, firstIndex, lastIndex, flushedIndex, commitIndex } = node
  const { lastApplied, snapshotIndex, terms, progress } = node
  const marks = progress.map((each) => [each.nodeId, each.matchIndex, each.nextIndex, each.isSnapshotSent])
  const indexes = [firstIndex, lastIndex, flushedIndex, commitIndex, lastApplied, snapshotIndex]
  return [nodeId, state, currentTerm, indexes, terms, marks]
}

export function LogsView() {
  useEffect(readPointed, [])
  return (
    <div class="logs">
      <LogBar />
      <LogLegend />
      <LogCanvas />
      <p class="logs-told" role="status">
        {entryTold}
      </p>
      <LogFigures />
    </div>
  )
}

function LogBar() {
  return (
    <div class="logs-bar">
      <button type="button" onClick={() => zoom(0.5)} title="zoom out (−)" aria-label="zoom out">
        −
      </button>
      <button type="button" onClick={() => zoom(2)} title="zoom in (+)" aria-label="zoom in">
        +
      </button>
      <button
        type="button"
        onClick={() => (chosenWindow.value = whole(room.value))}
        aria-label="all of the log"
        title="the whole log (0)"
      >
        all
      </button>
      <button
        type="button"
        aria-pressed={seen.value.isFollowing}
        onClick={toggleFollowing}
        title="stay at the end of the log (f)"
      >
        follow
      </button>
    </div>
  )
}

function LogLegend() {
  return (
    <p class="logs-legend" aria-hidden="true">
      <span>
        <i class="sample committed" /> committed
      </span>
      <span>
        <i class="sample" /> not yet
      </span>
      <span title="a line above">▔ on disk</span>
      <span title="a line below">▁ applied</span>
      <span>
        <i class="sample cut" /> snapshot
      </span>
      <span title="the leader knows that the follower has the entry">
        <b>●</b> match
      </span>
      <span title="the leader sends this entry to the follower next">
        <b>▲</b> next
      </span>
    </p>
  )
}

function LogCanvas() {
  const canvas = useDrawing(size, (paper) => {
    void drawnOfFrame.value
    const frame = shownFrame.peek()
    if (frame === undefined) return
    const [window, isDarkNow] = [seen.value, isDark.value]
    drawLogs(paper, { frame, window, pointed: pointed.value, isDark: isDarkNow, inks: inks.value })
  })
  useSignalEffect(() => {
    // A resting pointer is at another entry when the window moves on below it.
    if (seen.value.isFollowing && isByMouse) pointed.value = pointed.peek() && at(pointer.x, pointer.y)
  })
  useEffect(() => {
    const element = canvas.current
    // A listener of an element's attribute could not keep the page from scrolling.
    element?.addEventListener('wheel', onWheel, { passive: false })
    return () => element?.removeEventListener('wheel', onWheel)
  }, [])
  return (
    <div
      class="logs-scroll"
      role="application"
      aria-label="logs of all nodes: arrow keys go from entry to entry, plus and minus zoom, Enter explains"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes keys.
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => (pointed.value = undefined)}
    >
      <canvas
        ref={canvas}
        style={{ minHeight: `${heightFor(nodeCount.value)}px` }}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={onPointerCancel}
        onPointerLeave={onPointerLeave}
      />
    </div>
  )
}

function zoom(factor: number, x?: number): void {
  const window = seen.peek()
  chosenWindow.value = zoomed(window, factor, x ?? room.peek().widthPx / 2, room.peek())
}

function move(entries: number): void {
  chosenWindow.value = moved(seen.peek(), entries, room.peek())
}

function toggleFollowing(): void {
  chosenWindow.value = { ...seen.peek(), isFollowing: !seen.peek().isFollowing }
}

function explainPointed(): void {
  const index = pointed.peek()?.index
  if (index !== undefined && index > 0) question.value = { about: 'index', index }
}

/** The pointer's last place on the canvas, and the place where it was pressed. */
const pointer = { x: 0, y: 0 }
let pressed: { readonly x: number; isDrag: boolean } | undefined
let isByMouse = false
/** A press that moves less is a click. */
const dragPxMin = 4

/** The entry at a place of the canvas. */
function at(x: number, y: number): EntryAt | undefined {
  const nodes = shownNodes.peek()
  const row = Math.floor((y - axisPx) / rowPxOf(size.peek().heightPx, nodes.length))
  const node = nodes[row]
  const index = indexAt(seen.peek(), x - labelPx)
  return node === undefined || x < labelPx || index < 1 ? undefined : { nodeId: node.nodeId, index }
}

function onPointerDown(event: PointerEvent): void {
  if (event.button !== 0) return
  pressed = { x: event.offsetX, isDrag: false }
  ;(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)
}

function onPointerMove({ offsetX: x, offsetY: y }: PointerEvent): void {
  isByMouse = true
  if (pressed !== undefined && (pressed.isDrag || Math.abs(x - pressed.x) >= dragPxMin)) {
    move(((pressed.isDrag ? pointer.x : pressed.x) - x) / seen.peek().entryPx)
    pressed.isDrag = true
  }
  Object.assign(pointer, { x, y })
  pointed.value = at(x, y)
}

function onPointerUp(): void {
  if (pressed?.isDrag === false) explainPointed()
  pressed = undefined
}

function onPointerCancel(): void {
  pressed = undefined
}

function onPointerLeave(): void {
  if (isByMouse) pointed.value = undefined
}

function onWheel(event: WheelEvent): void {
  event.preventDefault()
  const { deltaX, deltaY, shiftKey } = event
  if (shiftKey || Math.abs(deltaX) > Math.abs(deltaY)) move((deltaX || deltaY) / seen.peek().entryPx)
  else zoom(2 ** (-deltaY / 200), event.offsetX - labelPx)
}

const keys: Readonly<Record<string, (far: boolean) => void>> = {
  ArrowLeft: (far) => walk(far ? -10 : -1, 0),
  ArrowRight: (far) => walk(far ? 10 : 1, 0),
  ArrowUp: () => walk(0, -1),
  ArrowDown: () => walk(0, 1),
  PageUp: () => walk(-pageOf(), 0),
  PageDown: () => walk(pageOf(), 0),
  Home: () => walk(Number.NEGATIVE_INFINITY, 0),
  End: () => walk(Number.POSITIVE_INFINITY, 0),
  '+': () => zoom(2),
  '=': () => zoom(2),
  '-': () => zoom(0.5),
  '0': () => (chosenWindow.value = whole(room.peek())),
  f: toggleFollowing,
  Enter: explainPointed,
}

function onKeyDown(event: KeyboardEvent): void {
  const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key]
  if (act === undefined) return
  event.preventDefault()
  // The page gives letters another meaning where the logs do not have the focus.
  event.stopPropagation()
  isByMouse = false
  act(event.shiftKey)
}

function pageOf(): number {
  return Math.max(1, Math.floor(room.peek().widthPx / seen.peek().entryPx))
}

/** Goes from the entry that is pointed at, or else from the end of the first log, to another one. */
function walk(entries: number, rows: number): void {
  const nodes = shownNodes.peek()
  const from = pointed.peek()
  const row = Math.max(
    0,
    nodes.findIndex(({ nodeId }) => nodeId === from?.nodeId),
  )
  const node = nodes[Math.min(Math.max(row + rows, 0), nodes.length - 1)]
  if (node === undefined || lastIndex.peek() === 0) return
  const index =
    from === undefined ? node.lastIndex : Math.min(Math.max(from.index + entries, 1), lastIndex.peek())
  pointed.value = { nodeId: node.nodeId, index: Math.max(1, index) }
  chosenWindow.value = showing(seen.peek(), index, room.peek())
}
