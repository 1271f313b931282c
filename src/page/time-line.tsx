/** The whole run as a strip: who led in which term, with elections, crashes and faults; to scroll back in. */
import { computed, signal } from '@preact/signals'
import type { Frame } from '../observer/index.js'
import { type Paper, type Size, useDrawing } from './drawing.js'
import { inks } from './inks.js'
import { momentInWords, momentsOf } from './moments.js'
import { nowAndThen } from './now-and-then.js'
import { termOnCanvas } from './palette.js'
import { RecordControls } from './record-controls.js'
import { showMoment, stepFrames, stepMoments } from './scroll-back.js'
import { cursor, events, frames, head, isPast, newestFrame, shownFrame, subject } from './store.js'
import { reignsOf } from './term-strip.js'
import { isDark } from './theme.js'
import './time-line.css'

const size = signal<Size>({ widthPx: 0, heightPx: 0 })

/** A text that changes when the strip has to be drawn anew: once a second at most, unless something happens. */
const drawn = computed(() => {
  const [first, last] = [frames.value[0]?.atMs ?? 0, frames.value.at(-1)?.atMs ?? 0]
  const stepMs = Math.max(1000, (last - first) / Math.max(1, size.value.widthPx))
  return `${first} ${Math.floor(last / stepMs)} ${events.value.at(-1)?.sequence}`
})
const drawnNow = nowAndThen(drawn, 300)
const strip = computed(() => {
  void drawnNow.value
  const all = frames.peek()
  const fromMs = all[0]?.atMs ?? 0
  const toMs = Math.max(all.at(-1)?.atMs ?? 0, fromMs + 1000)
  return { fromMs, toMs, reigns: reignsOf(all), ...momentsOf(events.peek(), all.at(-1)) }
})

/** Words on the moment that is shown: as texts and numbers, they change once a second and not with each frame. */
const clock = computed(() => clockOf(shownFrame.value?.atMs ?? 0))
const second = computed(() => secondOf(shownFrame.value))
const secondMin = computed(() => secondOf(frames.value[0]))
const secondMax = computed(() => secondOf(newestFrame.value))

/** Since the run began. */
function secondOf(frame: Frame | undefined): number {
  const beganMs = head.value?.beganMs ?? 0
  return Math.max(0, Math.floor(((frame?.atMs ?? beganMs) - beganMs) / 1000))
}

const momentTold = computed(() => {
  if (isPast.value) return `second ${second.value}`
  return subject.value === 'record' ? 'the end of the run' : 'the present'
})
const leaderTold = computed(() => {
  const leaderId = shownFrame.value?.leaderId
  return leaderId === undefined ? 'no leader' : `node ${leaderId} leads`
})

export function TimeLine() {
  return (
    <div class="time-line">
      <button
        type="button"
        aria-pressed={!isPast.value}
        onClick={goLive}
        title={subject.value === 'record' ? 'the end of the run' : 'the present (End)'}
      >
        {subject.value === 'record' ? 'end' : 'live'}
      </button>
      <Strip />
      <Clock />
      <RecordControls />
    </div>
  )
}

function Strip() {
  const canvas = useDrawing(size, draw)
  return (
    <div
      class="time-strip"
      role="slider"
      tabIndex={0}
      aria-label="moment that is shown: arrow keys scroll, page keys go from election to election"
      aria-valuemin={secondMin.value}
      aria-valuemax={secondMax.value}
      aria-valuenow={second.value}
      aria-valuetext={`${momentTold.value}, ${leaderTold.value}`}
      onKeyDown={onKeyDown}
    >
      <canvas
        ref={canvas}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          showPlace(event)
        }}
        onPointerMove={onPointerMove}
      />
    </div>
  )
}

function Clock() {
  const [minutes, seconds] = [Math.floor(second.value / 60), second.value % 60]
  return (
    <span class="time-clock">
      {clock.value}{' '}
      <small title="since the run began">
        +{minutes}:{String(seconds).padStart(2, '0')}
      </small>
    </span>
  )
}

function goLive(): void {
  cursor.value = 'live'
}

function momentAt({ offsetX }: PointerEvent): number {
  const { fromMs, toMs } = strip.peek()
  return fromMs + (offsetX / size.peek().widthPx) * (toMs - fromMs)
}

function showPlace(event: PointerEvent): void {
  showMoment(momentAt(event))
}

function onPointerMove(event: PointerEvent): void {
  const { fromMs, toMs } = strip.peek()
  const atMs = momentAt(event)
  const words = momentInWords(strip.peek(), atMs, (4 * (toMs - fromMs)) / size.peek().widthPx)
  const canvas = event.currentTarget as HTMLElement
  canvas.title = [clockOf(atMs), words].filter((part) => part !== '').join(' · ')
  if (event.buttons === 1) showPlace(event)
}

function clockOf(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8)
}

const keys: Readonly<Record<string, (isFar: boolean) => void>> = {
  ArrowLeft: (isFar) => stepFrames(isFar ? -10 : -1),
  ArrowRight: (isFar) => stepFrames(isFar ? 10 : 1),
  ArrowDown: (isFar) => stepFrames(isFar ? -10 : -1),
  ArrowUp: (isFar) => stepFrames(isFar ? 10 : 1),
  PageUp: () => stepMoments(strip.peek().moments, -1),
  PageDown: () => stepMoments(strip.peek().moments, 1),
  Home: () => showMoment(strip.peek().fromMs),
  End: goLive,
}

function onKeyDown(event: KeyboardEvent): void {
  const act = keys[event.key]
  if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  event.stopPropagation()
  act(event.shiftKey)
}

/** Heights: ticks stand above the strip, windows of faults lie below it. */
const tickPx = 7
const faultPx = 5

function draw({ context, widthPx, heightPx }: Paper): void {
  const { fromMs, toMs, reigns, faults, moments } = strip.value
  const { line, card, ink, warn, bad } = inks.value
  const x = (atMs: number): number => ((atMs - fromMs) / (toMs - fromMs)) * widthPx
  const stripPx = heightPx - tickPx - faultPx
  context.font = '10px system-ui, sans-serif'
  context.textBaseline = 'middle'
  context.textAlign = 'center'
  for (const { fromMs: begunMs, toMs: endedMs, term, leaderId } of reigns) {
    const [left, right] = [x(begunMs), x(endedMs)]
    context.fillStyle = leaderId === undefined ? line : termOnCanvas(term, isDark.value)
    context.fillRect(left, tickPx, Math.max(right - left, 1), stripPx)
    const words = `term ${term}, node ${leaderId}`
    context.fillStyle = card
    const fits = [words, `T${term}`].find((each) => context.measureText(each).width < right - left - 6)
    if (leaderId !== undefined && fits !== undefined)
      context.fillText(fits, (left + right) / 2, tickPx + stripPx / 2 + 0.5)
  }
  context.fillStyle = warn
  for (const { fromMs: begunMs, toMs: healedMs = toMs } of faults)
    context.fillRect(x(begunMs), heightPx - faultPx + 1, Math.max(2, x(healedMs) - x(begunMs)), faultPx - 1)
  for (const { type, atMs } of moments) {
    context.fillStyle = type === 'crash' ? bad : ink
    context.fillRect(x(atMs) - 0.75, type === 'crash' ? 0 : 2, 1.5, tickPx)
  }
  // The present has no mark, and the strip is not drawn again for each of its frames.
  const shown = isPast.value ? shownFrame.value : undefined
  if (shown === undefined) return
  context.fillStyle = ink
  context.fillRect(x(shown.atMs) - 1, 0, 2, heightPx)
  context.beginPath()
  context.arc(x(shown.atMs), heightPx / 2, 5, 0, 2 * Math.PI)
  context.fill()
  context.strokeStyle = card
  context.lineWidth = 2
  context.stroke()
}
