/** Figures of the cluster over time: commits, calls, heartbeats and disks, with faults and elections behind them. */
import { computed, signal } from '@preact/signals'
import { Choices } from './choices.js'
import { msInWords, rateInWords } from './figure-words.js'
import { momentInWords, momentsOf } from './moments.js'
import { nowAndThen } from './now-and-then.js'
import { hovered, Plot, type PlotProps, type Plotted } from './plot.js'
import './plots-view.css'
import { showMoment } from './scroll-back.js'
import { seriesOf } from './series.js'
import { frames, isPast, shownEvents, shownFrame } from './store.js'

const minuteMs = 60_000
const spans = [
  { label: 'last minute', lengthMs: minuteMs },
  { label: 'ten minutes', lengthMs: 10 * minuteMs },
  { label: 'all', lengthMs: Number.POSITIVE_INFINITY },
] as const

/** Points that a plot can show. */
const pointsMax = 150
const chosenSpan = signal<(typeof spans)[number]>(spans[0])
/** Plots move on by so much at a time: in a shorter time, no point moves by a pixel. */
const stepMs = 1000

/** A text that changes when the plots have to be drawn anew. */
const drawn = computed(() => {
  const atMs = shownFrame.value?.atMs ?? 0
  return `${isPast.value ? atMs : Math.floor(atMs / stepMs)} ${shownEvents.value.at(-1)?.sequence} ${frames.value[0]?.atMs}`
})
const drawnNow = nowAndThen(drawn, 300)
const plotted = computed<Plotted>(() => {
  void drawnNow.value
  const [all, end, happened] = [frames.peek(), shownFrame.peek(), shownEvents.peek()]
  const toMs = end?.atMs ?? 0
  const firstMs = Math.max(toMs - chosenSpan.value.lengthMs, all[0]?.atMs ?? 0)
  const span = { fromMs: Math.min(firstMs, toMs - 1000), toMs }
  return { series: seriesOf(all, span, pointsMax), span, moments: momentsOf(happened, end) }
})

const latencyLines = (of: 'calls' | 'late' | 'flush') =>
  [
    { label: 'p50', of: `${of}P50` },
    { label: 'p99', of: `${of}P99` },
  ] as const

const plots: readonly Pick<PlotProps, 'title' | 'lines' | 'inWords' | 'isLogarithmic'>[] = [
  {
    title: 'commits a second',
    lines: [{ label: '', of: 'committed' }],
    inWords: rateInWords,
    isLogarithmic: false,
  },
  { title: 'calls', lines: latencyLines('calls'), inWords: msInWords, isLogarithmic: true },
  { title: 'heartbeat late', lines: latencyLines('late'), inWords: msInWords, isLogarithmic: true },
  { title: 'disk flush', lines: latencyLines('flush'), inWords: msInWords, isLogarithmic: true },
]

/** The marks behind the lines, where the mouse is, in words. */
const hoveredTold = computed(() => {
  const { series, span, moments } = plotted.value
  const atS = hovered.value === undefined ? undefined : series.atS[hovered.value]
  return atS === undefined ? '' : momentInWords(moments, atS * 1000, (span.toMs - span.fromMs) / 60)
})

export function PlotsView() {
  return (
    <div class="plots">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would draw a frame around the buttons. */}
      <div class="plots-bar" role="group" aria-label="time that the plots show">
        <Choices
          choices={spans.map((span) => ({
            ...{ words: span.label, isChosen: chosenSpan.value === span },
            choose: () => (chosenSpan.value = span),
          }))}
        />
        <span class="plots-told">{hoveredTold}</span>
      </div>
      <div class="plots-grid">
        {plots.map((plot) => (
          <Plot key={plot.title} {...plot} plotted={plotted} onPick={showMoment} />
        ))}
      </div>
    </div>
  )
}
