/** Sentences and rows that the page, the Markdown file and the terminal share. */

import { counted, decimal, paint, printable, table } from '../terminal/index.js'
import type { BenchRecord } from './bench-record.js'
import {
  type ComparedFigure,
  type Comparison,
  countsOf,
  falseAlarms,
  looksLikeDrift,
  type Outcome,
} from './compare.js'
import {
  changeText,
  columnsOf,
  figureOf,
  figureText,
  isMixed,
  labelOf,
  type ResultGroup,
  valueText,
} from './figures.js'
import { fewRoundsChange, leastChange, oneRoundChange, significance } from './verdict.js'

/** When, where and of what: a line each. */
export function headLines({ startedAt, seconds, machine, versions, settings }: BenchRecord): string[] {
  const minutes = decimal(seconds / 60, 1)
  const commit = versions.commit === null ? '' : `, commit ${versions.commit}`
  return [
    `Begun ${startedAt}, ${minutes} minutes`,
    `${machine.cpuModel}, ${counted(machine.cores, 'core')}, ${decimal(machine.memoryBytes / 2 ** 30, 1)} GiB, ${machine.platform}`,
    `raftbox ${versions.raftbox}${commit}; Node ${versions.node}, V8 ${versions.v8}, lmdb ${versions.lmdb}`,
    `Settings: ${settingsText(settings)}`,
  ]
}

function settingsText(settings: BenchRecord['settings']): string {
  const all = Object.entries(settings).map(([name, value]) => `${name} ${value}`)
  return all.length === 0 ? 'none' : all.join(', ')
}

export interface Rows {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A row a case, with what its group is about; a row a figure where cases have little in common. */
export function mainRows(group: ResultGroup): Rows {
  if (isMixed(group)) return allRows(group)
  const columns = columnsOf(group)
  const head = columns.map((name) => {
    const figure = group.results.map((result) => figureOf(result, name)).find((found) => found !== undefined)
    return labelOf(name, figure?.unit ?? '')
  })
  const rows = group.results.map((result) => [
    result.title,
    ...columns.map((name) => {
      const figure = figureOf(result, name)
      return figure === undefined ? '' : figureText(figure)
    }),
  ])
  return { head: ['case', ...head], rows }
}

/** Every figure of every case. */
export function allRows(group: ResultGroup): Rows {
  const rows = group.results.flatMap(({ id, figures }) =>
    figures.map((figure) => [
      id,
      labelOf(figure.name, figure.unit),
      figureText(figure),
      String(figure.values.length),
    ]),
  )
  return { head: ['case', 'figure', 'median (range)', 'rounds'], rows }
}

export const comparisonHead = ['case', 'figure', 'before', 'after', 'change', 'verdict', 'rounds']

export function comparedRow(compared: ComparedFigure): string[] {
  const { id, figure, unit, before, after, change, outcome, method, rounds } = compared
  return [
    id,
    labelOf(figure, unit),
    valueText(before, unit),
    valueText(after, unit),
    changeText(change),
    // Without rounds it is a guess, and looks like one.
    method === 'threshold' && outcome !== 'same' ? `${outcome}?` : outcome,
    rounds.join(' / '),
  ]
}

/** In the order in which people look: worse first. */
export const outcomes: readonly Outcome[] = ['worse', 'better', 'changed', 'same']

export function byOutcome({ figures }: Comparison): ComparedFigure[] {
  return outcomes.flatMap((outcome) => figures.filter((compared) => compared.outcome === outcome))
}

export function countsLine(comparison: Comparison): string {
  const { better, worse, same, changed } = countsOf(comparison)
  return `${decimal(better)} better, ${decimal(worse)} worse, ${decimal(changed)} changed that are neither, ${decimal(same)} same`
}

/** How it was decided, and how far it can be trusted. Only what applies to these records is said. */
export function methodLines(comparison: Comparison): string[] {
  const used = new Set(comparison.figures.map(({ method }) => method))
  const percent = (share: number): string => `${decimal(share * 100)} %`
  const lines: string[] = []
  if (used.has('mann-whitney')) {
    lines.push(
      `With this many rounds: a figure differs if an exact Mann-Whitney test of the rounds gives p ≤ ${significance} and the medians differ by more than ${percent(leastChange)}.`,
    )
  }
  if (used.has('ranges')) {
    lines.push(
      `With so few rounds: a figure differs if the ranges of the rounds do not overlap and the medians differ by more than ${percent(fewRoundsChange)}.`,
    )
  }
  if (used.has('threshold')) {
    lines.push(
      `With one round on a side the noise is unknown: a figure is marked with a question mark if it differs by more than ${percent(oneRoundChange)}, which is a guess. Measure three rounds or more to know.`,
    )
  }
  const alarms = falseAlarms(comparison)
  if (alarms > 0) {
    lines.push(
      `Up to ${decimal(Math.ceil(alarms))} of ${counted(comparison.figures.length, 'figure')} would seem to differ by chance alone. What else the machine did between the two runs does not show in the rounds of one: before believing a small change, measure both again, in turn.`,
    )
  }
  const direction = looksLikeDrift(comparison)
  if (direction !== undefined) {
    const machine = direction === 'better' ? 'a quieter' : 'a busier'
    lines.push(
      `Nearly all figures that differ are ${direction}: the same program on ${machine} machine looks like this, too.`,
    )
  }
  return lines
}

export function differenceLines({ differences, onlyBefore, onlyAfter }: Comparison): string[] {
  const lines = differences.map(({ what, before, after }) => `${what}: before ${before}, after ${after}`)
  if (onlyBefore.length > 0) lines.push(`only before: ${onlyBefore.join(', ')}`)
  if (onlyAfter.length > 0) lines.push(`only after: ${onlyAfter.join(', ')}`)
  return lines
}

/** On the terminal only what differs; the page and the Markdown file hold all of it. */
export function comparisonLines(comparison: Comparison): string[] {
  const { same } = countsOf(comparison)
  const all = byOutcome(comparison)
  const differing = all.slice(0, all.length - same).map((compared) => comparedRow(compared).map(printable))
  return [
    ...differenceLines(comparison).map((line) => `note: ${printable(line)}`),
    ...(differing.length === 0 ? [] : [table([comparisonHead, ...differing])]),
    paint.bold(countsLine(comparison)),
    ...methodLines(comparison).map((line) => paint.dim(line)),
  ]
}
