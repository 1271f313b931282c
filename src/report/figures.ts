/** Which figures of a record are shown first, and how a figure is written. */

import { decimal, significant } from '../terminal/index.js'
import type { BenchRecord, BenchResult, Figure } from './bench-record.js'
import { medianOf } from './verdict.js'

/** Shown beside a case's first figure, where they are there. */
const usualFigures = ['p50ms', 'p99ms', 'p999ms', 'elections', 'heartbeatLateP999ms']

/** The results of one group, in the order of the record. */
export interface ResultGroup {
  readonly name: string
  readonly results: readonly BenchResult[]
}

export function groupsOf({ results }: BenchRecord): ResultGroup[] {
  const names = [...new Set(results.map(({ group }) => group))]
  return names.map((name) => ({ name, results: results.filter(({ group }) => group === name) }))
}

/** With more headings than this, cases of one group have little in common but their group. */
const firstNamesMax = 4

/** What the cases of a group put first. */
function firstNames({ results }: ResultGroup): string[] {
  return [...new Set(results.flatMap(({ figures }) => figures[0]?.name ?? []))]
}

/** Each case of such a group has figures of its own: a column for each would be a table of holes. */
export function isMixed(group: ResultGroup): boolean {
  return firstNames(group).length > firstNamesMax
}

/** Figures that a group is about: what its cases put first; of a mixed one, what most of them have. */
export function leadingFigures(group: ResultGroup): string[] {
  if (!isMixed(group)) return firstNames(group)
  const names = new Set(group.results.flatMap(({ figures }) => figures.map(({ name }) => name)))
  const holders = (name: string): number =>
    group.results.filter((result) => figureOf(result, name) !== undefined).length
  return [...names].filter((name) => holders(name) * 2 > group.results.length)
}

/** Names of the columns of a group's table: what leads, then what is usual. */
export function columnsOf(group: ResultGroup): string[] {
  const isThere = (name: string): boolean =>
    group.results.some((result) => figureOf(result, name) !== undefined)
  return [...new Set([...leadingFigures(group), ...usualFigures.filter(isThere)])]
}

export function figureOf({ figures }: BenchResult, name: string): Figure | undefined {
  return figures.find((figure) => figure.name === name)
}

export function medianFigure(result: BenchResult, name: string): number | undefined {
  const figure = figureOf(result, name)
  return figure && medianOf(figure.values)
}

/** The median of the rounds, with the range that they span. */
export function figureText({ values, unit }: Figure): string {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const median = valueText(medianOf(values), unit)
  return least === most ? median : `${median} (${valueText(least, unit)} to ${valueText(most, unit)})`
}

export function valueText(value: number, unit: string): string {
  if (unit === 'bytes') return bytesText(value)
  const text = significant(value)
  return unit === '%' ? `${text} %` : text
}

/** A heading for values of this unit; bytes and percent are written with each value. */
export function labelOf(name: string, unit: string): string {
  const isSaid = unit === '' || unit === '%' || unit === 'bytes'
  return isSaid || name.toLowerCase().endsWith(unit) ? name : `${name} (${unit})`
}

export function changeText(change: number): string {
  if (!Number.isFinite(change)) return change > 0 ? 'from nothing' : 'below nothing'
  return `${change > 0 ? '+' : ''}${(change * 100).toFixed(1)} %`
}

function bytesText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB']
  const power = Math.min(3, Math.max(0, Math.floor(Math.log10(Math.abs(bytes) || 1) / 3)))
  const value = bytes / 1000 ** power
  return `${power === 0 ? decimal(value) : significant(value)} ${units[power]}`
}
