/** What is plotted of a group: plain data, which the page's script draws. */

import { counted } from '../terminal/index.js'
import type { BenchResult, TimelinePoint } from './bench-record.js'
import { figureOf, labelOf, leadingFigures, medianFigure, type ResultGroup } from './figures.js'

export interface Series {
  readonly label: string
  /** One for each place on the x axis. */
  readonly values: readonly (number | null)[]
}

export interface Plot {
  readonly title: string
  readonly kind: 'lines' | 'bars'
  readonly xLabel: string
  readonly xLog: boolean
  readonly xs: readonly number[]
  /** Places that are labelled, where the numbers themselves would say nothing. */
  readonly xTicks: readonly (readonly [x: number, label: string])[]
  readonly yLabel: string
  readonly yLog: boolean
  readonly series: readonly Series[]
  /** Vertical lines, each with its words. */
  readonly marks: readonly (readonly [x: number, label: string])[]
}

export interface GroupPlots {
  readonly overview: readonly Plot[]
  readonly distributions: readonly Plot[]
  readonly timelines: readonly Plot[]
}

/** Fewer points make no curve. */
const curvePointsMin = 3
/** A shorter time line is only drawn if there was an election in it. */
const timelineSecondsMin = 5
/** Percentiles whose places are labelled. */
const percentileTicks = [0, 50, 90, 99, 99.9, 99.99]
const latencies = ['p50ms', 'p99ms', 'p999ms']
/** Beyond this, values on one axis without a logarithm are flat lines. */
const linearRatioMax = 30

export function plotsOf(group: ResultGroup): GroupPlots {
  const curve = curveOf(group)
  const first = leadingFigures(group)
  const overview =
    curve === undefined ? first.flatMap((name) => bars(group, [name])) : lines(group, first, curve)
  const isMeasured = (name: string): boolean =>
    group.results.some((result) => figureOf(result, name) !== undefined)
  const shown = latencies.filter((name) => !first.includes(name) && isMeasured(name))
  const latency = curve === undefined ? bars(group, shown) : lines(group, shown, curve)
  return {
    overview: [...overview, ...latency],
    distributions: distributions(group),
    timelines: timelines(group),
  }
}

/** The parameter that makes a curve: the number of clients, where enough cases differ in nothing else. */
function curveOf({ results }: ResultGroup): string | undefined {
  const axis = 'clients'
  const counts = new Map<string, Set<unknown>>()
  for (const result of results) {
    const count = result.parameters[axis]
    if (typeof count !== 'number') continue
    const variant = variantOf(result, axis)
    counts.set(variant, (counts.get(variant) ?? new Set()).add(count))
  }
  return [...counts.values()].some(({ size }) => size >= curvePointsMin) ? axis : undefined
}

/** Over a parameter, one line for each figure and each combination of the other parameters. */
function lines({ name, results }: ResultGroup, figures: readonly string[], axis: string): Plot[] {
  const xs = [...new Set(results.map(({ parameters }) => Number(parameters[axis])))].sort((a, b) => a - b)
  const variants = [...new Set(results.map((result) => variantOf(result, axis)))]
  const series = figures.flatMap((figure) =>
    variants.map((variant): Series => {
      const ofVariant = results.filter((result) => variantOf(result, axis) === variant)
      const values = xs.map((x) => {
        const found = ofVariant.find(({ parameters }) => parameters[axis] === x)
        return positive(found && medianFigure(found, figure))
      })
      return { label: labelFor(figures, figure, variant), values }
    }),
  )
  return plotOf({
    title: `${name}: ${figures.join(', ')} over ${axis}`,
    xLabel: axis,
    xLog: true,
    xs,
    yLabel: yLabelOf(results, figures),
    yLog: true,
    series,
  })
}

/** A bar a case; several figures stand side by side. */
function bars({ name, results }: ResultGroup, figures: readonly string[]): Plot[] {
  const cases = results.filter((result) => figures.some((figure) => figureOf(result, figure) !== undefined))
  // What is alone is compared with nothing.
  if (cases.length < 2 || figures.length === 0) return []
  const width = figures.length + 1
  const xs = cases.flatMap((_, at) => figures.map((_, place) => at * width + place))
  const series = figures.map((figure, place): Series => {
    const values = xs.map((x) =>
      x % width === place ? (medianFigure(cases[Math.floor(x / width)]!, figure) ?? null) : null,
    )
    return { label: figure, values }
  })
  const all = series.flatMap(({ values }) =>
    values.filter((value) => value !== null && value > 0),
  ) as number[]
  const isWide = all.length > 0 && Math.max(...all) > linearRatioMax * Math.min(...all)
  return plotOf({
    title: `${name}: ${figures.join(', ')}`,
    kind: 'bars',
    xs,
    xTicks: cases.map(({ id, group }, at) => [at * width + (figures.length - 1) / 2, shortName(id, group)]),
    yLabel: yLabelOf(cases, figures),
    yLog: isWide,
    series: isWide
      ? series.map(({ label, values }) => ({ label, values: values.map(positiveOrNull) }))
      : series,
  })
}

/** For each kind of call, one curve a case; the places are by the number of nines, so that the tail has room. */
function distributions({ name, results }: ResultGroup): Plot[] {
  const names = [...new Set(results.flatMap(({ distributions }) => distributions.map((one) => one.name)))]
  return names.flatMap((kind) => {
    const curves = results.flatMap(({ id, group, distributions }) => {
      const points = distributions.find((one) => one.name === kind)?.points
      return points === undefined ? [] : [{ label: shortName(id, group), points }]
    })
    const percentiles = [...new Set(curves.flatMap(({ points }) => points.map(([percentile]) => percentile)))]
    percentiles.sort((a, b) => a - b)
    const last = nines(percentiles.filter((percentile) => percentile < 100).at(-1) ?? 0)
    // The most has infinitely many nines: it is put behind the last one.
    const place = (percentile: number): number => (percentile === 100 ? last + 1 : nines(percentile))
    return plotOf({
      title: `${name}: ${kind}, milliseconds within which so many percent lie`,
      xLabel: 'percentile',
      xs: percentiles.map(place),
      xTicks: [...percentileTicks, 100]
        .filter((percentile) => percentiles.includes(percentile))
        .map((percentile) => [place(percentile), percentile === 100 ? 'max' : String(percentile)]),
      yLabel: 'ms',
      yLog: true,
      series: curves.map(({ label, points }) => {
        const ms = new Map(points)
        return { label, values: percentiles.map((percentile) => positive(ms.get(percentile))) }
      }),
    })
  })
}

/** One line a round, and a mark at each second in which elections began. */
function timelines({ results }: ResultGroup): Plot[] {
  return results.flatMap(({ id, timeline }) => {
    const seconds = [...new Set(timeline.map(({ second }) => second))].sort((a, b) => a - b)
    const marks = electionsOf(timeline).map(({ second, words }) => [second, words] as const)
    if (seconds.length < timelineSecondsMin && marks.length === 0) return []
    const rounds = [...new Set(timeline.map(({ round }) => round))]
    const kinds = [
      ['commitsPerSecond', 'commits per second'],
      ['p99ms', 'p99 in ms'],
    ] as const
    return kinds.flatMap(([field, words]) =>
      plotOf({
        title: `${id}: ${words}, second by second`,
        xLabel: 'second',
        xs: seconds,
        yLabel: words,
        series: rounds.map((round) => ({
          label: `round ${round + 1}`,
          values: seconds.map(
            (second) =>
              timeline.find((point) => point.round === round && point.second === second)?.[field] ?? null,
          ),
        })),
        marks,
      }),
    )
  })
}

/** The seconds in which elections began, in words. */
export function electionsOf(timeline: readonly TimelinePoint[]): { second: number; words: string }[] {
  return timeline
    .filter(({ elections }) => elections > 0)
    .map(({ round, second, elections }) => ({
      second,
      words: `${counted(elections, 'election')} in round ${round + 1}, second ${second}`,
    }))
}

/** None where there is nothing to see. */
function plotOf(given: Pick<Plot, 'title' | 'xs' | 'yLabel' | 'series'> & Partial<Plot>): Plot[] {
  const plain = { kind: 'lines', xLabel: '', xLog: false, xTicks: [], yLog: false, marks: [] } as const
  const plot: Plot = { ...plain, ...given }
  return plot.series.some(({ values }) => values.some((value) => value !== null)) ? [plot] : []
}

function variantOf({ parameters }: BenchResult, axis: string): string {
  return Object.entries(parameters)
    .filter(([name]) => name !== axis)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

/** A plot of one figure says its name in the title. */
function labelFor(figures: readonly string[], figure: string, variant: string): string {
  if (variant === '') return figure
  return figures.length === 1 ? variant : `${figure}, ${variant}`
}

function yLabelOf(results: readonly BenchResult[], figures: readonly string[]): string {
  const labels = figures.flatMap((name) => {
    const figure = results.map((result) => figureOf(result, name)).find((found) => found !== undefined)
    return figure === undefined ? [] : [figure.unit || labelOf(name, '')]
  })
  return [...new Set(labels)].join(', ')
}

function shortName(id: string, group: string): string {
  return id.startsWith(`${group}/`) ? id.slice(group.length + 1) : id
}

function nines(percentile: number): number {
  return -Math.log10(1 - percentile / 100)
}

/** A logarithmic axis has no place for zero. */
function positive(value: number | undefined): number | null {
  return value !== undefined && value > 0 ? value : null
}

function positiveOrNull(value: number | null): number | null {
  return positive(value ?? undefined)
}
