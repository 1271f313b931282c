/** A plot of figures over time. */
import { effect, type ReadonlySignal, signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { type Size, useSize } from './drawing.js'
import { inks } from './inks.js'
import type { Moments } from './moments.js'
import { termOnCanvas } from './palette.js'
import type { Figures, Series, TimeSpan } from './series.js'
import { isDark } from './theme.js'

/** The figures and marks that all plots draw at a time. */
export interface Plotted {
  readonly series: Series
  readonly span: TimeSpan
  readonly moments: Moments
}

export interface Line {
  readonly label: string
  readonly of: keyof Omit<Series, 'atS'>
}

export interface PlotProps {
  readonly title: string
  /** At most two lines, the more important one last. */
  readonly lines: readonly Line[]
  readonly inWords: (value: number) => string
  /** Latencies differ by powers of ten. */
  readonly isLogarithmic: boolean
  readonly plotted: ReadonlySignal<Plotted>
  readonly onPick: (atMs: number) => void
}

/** A logarithmic scale begins here: shorter latencies are drawn at its end. */
const msLeast = 0.01

/** The place in the series that the mouse is at, in any of the plots. */
export const hovered = signal<number | undefined>(undefined)

export function Plot(props: PlotProps) {
  const { title, lines, inWords, plotted } = props
  const place = useRef<HTMLDivElement>(null)
  const size = useSignal<Size>({ widthPx: 0, heightPx: 0 })
  useSize(place, size)
  useEffect(() => drawn(props, place.current as HTMLElement, size), [])
  return (
    <figure class="plot">
      <figcaption>
        <b>{title}</b>
        {lines.map(({ label, of }, at) => (
          <span key={of} class={at === lines.length - 1 ? 'plot-main' : 'plot-minor'}>
            {label !== '' && <small>{label} </small>}
            {figure(plotted.value.series[of], inWords)}
          </span>
        ))}
      </figcaption>
      <div class="plot-place" ref={place} aria-hidden="true" />
    </figure>
  )
}

/** The figure that the mouse is at, or else the last one. */
function figure(figures: Figures, inWords: (value: number) => string): string {
  const value =
    hovered.value === undefined ? figures.findLast((each) => each !== null) : figures[hovered.value]
  return value === null || value === undefined ? '–' : inWords(value)
}

/** Draws the plot anew when anything changes. Returns what ends it. */
function drawn(props: PlotProps, place: HTMLElement, size: { readonly value: Size }): () => void {
  const { plotted } = props
  let plot: uPlot | undefined
  const endPlot = effect(() => {
    const [{ widthPx: width, heightPx: height }] = [size.value, isDark.value, inks.value]
    plot?.destroy()
    plot = undefined
    if (width === 0 || height === 0) return
    plot = new uPlot(optionsOf(props, { width, height }), dataOf(plotted.peek(), props), place)
  })
  const endData = effect(() => {
    const now = plotted.value
    plot?.batch(() => {
      plot?.setData(dataOf(now, props), false)
      plot?.setScale('x', { min: now.span.fromMs / 1000, max: now.span.toMs / 1000 })
    })
  })
  return () => {
    endPlot()
    endData()
    plot?.destroy()
  }
}

function dataOf({ series }: Plotted, { lines, isLogarithmic }: PlotProps): uPlot.AlignedData {
  const figuresOf = ({ of }: Line): Figures =>
    isLogarithmic ? series[of].map((each) => (each === null ? null : Math.max(each, msLeast))) : series[of]
  return [series.atS, ...lines.map(figuresOf)]
}

function optionsOf(props: PlotProps, size: { width: number; height: number }): uPlot.Options {
  const { lines, inWords, isLogarithmic, plotted, onPick } = props
  const { soft, line, accent } = inks.peek()
  const axis: uPlot.Axis = {
    stroke: soft,
    font: '10px system-ui, sans-serif',
    gap: 3,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
  }
  const colours = lines.length === 1 ? [accent] : [soft, accent]
  return {
    ...size,
    padding: [6, 4, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 5 },
      drag: { x: false, y: false },
      sync: { key: 'raftbox' },
    },
    scales: {
      x: { time: false },
      y: isLogarithmic
        ? { distr: 3, range: logRange }
        : { range: (_, __, most) => [0, Math.max(most * 1.1, 10)] },
    },
    axes: [
      { ...axis, size: 16, space: 60, values: clockWords },
      {
        ...axis,
        size: 42,
        space: 26,
        ...(isLogarithmic ? { splits: powersOfTen, filter: (_, splits) => splits } : {}),
        values: (_, splits) => splits.map(inWords),
      },
    ],
    series: [
      {},
      ...colours.map((stroke) => ({
        stroke,
        width: 1.5,
        points: { size: 6, fill: stroke },
        spanGaps: false,
      })),
    ],
    hooks: {
      ready: [
        (plot) =>
          plot.over.addEventListener('click', ({ offsetX }) => onPick(plot.posToVal(offsetX, 'x') * 1000)),
      ],
      drawAxes: [(plot) => drawMoments(plot, plotted.peek().moments)],
      setCursor: [(plot) => (hovered.value = plot.cursor.idx ?? undefined)],
    },
  }
}

/** Powers of ten that have a line and a figure: so many that the figures do not touch each other. */
function powersOfTen({ bbox }: uPlot, _: number, least: number, most: number): number[] {
  const [low, high] = [Math.round(Math.log10(least)), Math.round(Math.log10(most))]
  const step = Math.max(1, Math.ceil((high - low) / (bbox.height / devicePixelRatio / 16)))
  return Array.from({ length: Math.floor((high - low) / step) + 1 }, (_each, at) => 10 ** (low + at * step))
}

/** Whole powers of ten around the figures. */
function logRange(_: uPlot, least: number | null, most: number | null): [number, number] {
  const low = 10 ** Math.floor(Math.log10(Math.max(least ?? 0.1, msLeast)))
  return [low, Math.max(10 * low, 10 ** Math.ceil(Math.log10(Math.max(most ?? 1, msLeast))))]
}

/** Half of a clock's width: a clock nearer to an edge would be cut, or touch the figures of the other axis. */
const clockPx = 20

function clockWords(plot: uPlot, splits: number[]): string[] {
  const { min = 0, max = 0 } = plot.scales['x'] ?? {}
  const spanS = max - min
  return splits.map((atS) => {
    const x = plot.valToPos(atS, 'x')
    if (x < clockPx || x > plot.bbox.width / devicePixelRatio - clockPx) return ''
    const clock = new Date(atS * 1000).toTimeString()
    return spanS <= 180 ? clock.slice(0, 8) : clock.slice(0, 5)
  })
}

/** Shades the windows of faults, and marks elections and crashes, behind the lines. */
function drawMoments({ ctx: context, bbox, valToPos }: uPlot, { faults, moments }: Moments): void {
  const x = (atMs: number): number => valToPos(atMs / 1000, 'x', true)
  const { bad, warn } = inks.peek()
  const right = bbox.left + bbox.width
  context.save()
  context.beginPath()
  context.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  context.clip()
  context.fillStyle = warn
  context.globalAlpha = 0.16
  // All windows are one shape, so the shade is no darker where two faults stand at the same time.
  context.beginPath()
  for (const { fromMs, toMs } of faults) {
    const to = toMs === undefined ? right : x(toMs)
    context.rect(x(fromMs), bbox.top, Math.max(1, to - x(fromMs)), bbox.height)
  }
  context.fill()
  context.globalAlpha = 0.9
  context.lineWidth = devicePixelRatio
  for (const { type, atMs, term } of moments) {
    context.strokeStyle = type === 'crash' ? bad : termOnCanvas(term ?? 0, isDark.peek())
    context.setLineDash(type === 'crash' ? [2, 3] : [])
    context.beginPath()
    context.moveTo(x(atMs), bbox.top)
    context.lineTo(x(atMs), bbox.top + bbox.height)
    context.stroke()
  }
  context.restore()
}
