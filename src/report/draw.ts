/**
 * Runs in the reader's browser: the page holds the text of this class, so it may use nothing from outside of
 * itself. The few parts of a browser that it needs are declared here, for nothing else here may see them.
 */
import type { Plot } from './plots.js'

interface Chart {
  readonly bbox: {
    readonly left: number
    readonly top: number
    readonly height: number
    readonly width: number
  }
  readonly ctx: {
    save(): void
    restore(): void
    beginPath(): void
    moveTo(x: number, y: number): void
    lineTo(x: number, y: number): void
    setLineDash(lengths: number[]): void
    stroke(): void
    strokeStyle: string
    lineWidth: number
  }
  valToPos(value: number, scale: string, isCanvas: boolean): number
  setSize(size: { width: number; height: number }): void
  destroy(): void
}

interface ChartMaker {
  new (options: object, data: readonly (readonly (number | null)[])[], target: Target): Chart
  readonly paths: { bars(options: object): unknown }
}

interface Target {
  readonly clientWidth: number
  readonly dataset: { readonly plot?: string }
  addEventListener(name: string, listener: () => void): void
  querySelectorAll(selector: string): Iterable<Target>
}

interface Page {
  readonly documentElement: Target
  getElementById(id: string): { readonly textContent: string } | null
  querySelectorAll(selector: string): Iterable<Target>
}

interface Browser {
  addEventListener(name: string, listener: () => void): void
  getComputedStyle(element: Target): { getPropertyValue(name: string): string }
  matchMedia(query: string): { addEventListener(name: string, listener: () => void): void }
}

export class PlotPage {
  readonly #chartOf: ChartMaker
  readonly #page: Page
  readonly #browser: Browser
  readonly #plots: readonly Plot[]
  readonly #charts = new Map<Target, Chart>()

  constructor(chartOf: ChartMaker, page: Page, browser: Browser) {
    this.#chartOf = chartOf
    this.#page = page
    this.#browser = browser
    this.#plots = JSON.parse(page.getElementById('plots')?.textContent ?? '[]')
  }

  /** Draws what is seen, and again what changes its size or its colours. */
  open(): void {
    const isVisible = (target: Target): boolean => target.clientWidth > 0
    for (const target of this.#page.querySelectorAll('[data-plot]')) if (isVisible(target)) this.#draw(target)
    // A plot that is folded away has no width yet.
    for (const folded of this.#page.querySelectorAll('details')) {
      folded.addEventListener('toggle', () => {
        for (const target of folded.querySelectorAll('[data-plot]')) {
          if (isVisible(target) && !this.#charts.has(target)) this.#draw(target)
        }
      })
    }
    this.#browser.addEventListener('resize', () => {
      for (const [target, chart] of this.#charts) if (isVisible(target)) chart.setSize(this.#sizeOf(target))
    })
    this.#browser.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const target of this.#charts.keys()) this.#draw(target)
    })
  }

  #draw(target: Target): void {
    const plot = this.#plotIn(target)
    if (plot === undefined) return
    this.#charts.get(target)?.destroy()
    const options = {
      ...this.#sizeOf(target),
      scales: { x: this.#xScaleOf(plot), y: this.#yScaleOf(plot) },
      axes: this.#axesOf(plot),
      series: this.#seriesOf(plot),
      hooks: { draw: [(chart: Chart) => this.#markLines(plot, chart)] },
    }
    const columns = [plot.xs, ...plot.series.map(({ values }) => values)]
    this.#charts.set(target, new this.#chartOf(options, columns, target))
  }

  #plotIn(target: Target): Plot | undefined {
    return this.#plots[Number(target.dataset.plot)]
  }

  #color(name: string): string {
    const style = this.#browser.getComputedStyle(this.#page.documentElement)
    return style.getPropertyValue(`--${name}`).trim()
  }

  #sizeOf(target: Target): { width: number; height: number } {
    const width = Math.max(280, target.clientWidth)
    const plot = this.#plotIn(target)
    const turned = plot === undefined ? 0 : this.#turnedHeight(plot)
    return { width, height: turned + Math.round(Math.min(420, Math.max(260, width * 0.55))) }
  }

  #axesOf(plot: Plot): object[] {
    const grid = this.#color('grid')
    const look = {
      stroke: this.#color('ink'),
      grid: { stroke: grid, width: 1 },
      ticks: { stroke: grid, width: 1 },
    }
    const at = this.#places(plot)
    const turned = this.#turnedHeight(plot)
    const xAxis = {
      ...look,
      label: plot.xLabel || undefined,
      ...(at !== undefined && {
        splits: () => at,
        filter: (_: unknown, splits: number[]) => splits,
        values: (_: unknown, splits: number[]) => splits.map((x) => this.#placeName(plot, x)),
      }),
      ...(turned > 0 && { rotate: 60, size: turned }),
    }
    const values = (_: unknown, splits: (number | null)[]): string[] => splits.map((y) => this.#short(y))
    return [xAxis, { ...look, label: plot.yLabel, size: 64, values }]
  }

  #seriesOf(plot: Plot): object[] {
    const bars = this.#chartOf.paths.bars({ size: [0.9, 60] })
    const drawn = plot.series.map(({ label }, at) => {
      const stroke = this.#color(`line-${(at % 8) + 1}`)
      const value = (_: unknown, y: number | null): string => this.#short(y) || '–'
      if (plot.kind === 'bars')
        return { label, stroke, fill: stroke, paths: bars, points: { show: false }, value }
      // From the ninth line on, colours come again and the dashes differ.
      return { label, stroke, width: 2, value, spanGaps: true, ...(at >= 8 && { dash: [6, 4] }) }
    })
    const value = (_: unknown, x: number | null): string => this.#placeName(plot, x)
    return [{ label: plot.xLabel || 'case', value }, ...drawn]
  }

  #markLines(plot: Plot, chart: Chart): void {
    const { ctx, bbox } = chart
    ctx.save()
    ctx.strokeStyle = this.#color('mark')
    ctx.lineWidth = 2
    ctx.setLineDash([5, 4])
    for (const [x] of plot.marks) {
      const left = chart.valToPos(x, 'x', true)
      ctx.beginPath()
      ctx.moveTo(left, bbox.top)
      ctx.lineTo(left, bbox.top + bbox.height)
      ctx.stroke()
    }
    ctx.restore()
  }

  #xScaleOf({ kind, xLog, xs }: Plot): object {
    const [first = 0, last = 0] = [xs[0], xs.at(-1)]
    if (kind === 'bars') return { time: false, range: [first - 1, last + 1] }
    // Its own range would go on to the next power of ten.
    return { time: false, ...(xLog && { distr: 3, range: [first / 1.15, last * 1.15] }) }
  }

  #yScaleOf({ kind, yLog }: Plot): object {
    // A bar begins below the least of them, or that one could not be seen.
    if (yLog && kind === 'bars') {
      return { distr: 3, range: (_: unknown, least: number, most: number) => [least / 3, most * 1.3] }
    }
    if (yLog) return { distr: 3 }
    return {
      range: (_: unknown, least: number, most: number) => [Math.min(0, least), Math.max(0, most * 1.08) || 1],
    }
  }

  #places(plot: Plot): readonly number[] | undefined {
    if (plot.xTicks.length > 0) return plot.xTicks.map(([x]) => x)
    return plot.xLog ? plot.xs : undefined
  }

  #placeName(plot: Plot, x: number | null): string {
    if (x === null) return '–'
    const [tick] = [...plot.xTicks].sort((a, b) => Math.abs(a[0] - x) - Math.abs(b[0] - x))
    if (tick !== undefined) return tick[1]
    // 1024 clients are not 1020.
    return plot.xLog ? String(x) : this.#short(x)
  }

  /** Names that do not fit beside each other are turned, and need so many pixels of height. */
  #turnedHeight(plot: Plot): number {
    const longest = Math.max(0, ...plot.xTicks.map(([, label]) => label.length))
    return plot.kind === 'bars' && longest * plot.xTicks.length > 40 ? 24 + 6 * longest : 0
  }

  #short(value: number | null | undefined): string {
    if (value === null || value === undefined) return ''
    const size = Math.abs(value)
    if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`
    if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`
    return String(Number(value.toPrecision(3)))
  }
}
