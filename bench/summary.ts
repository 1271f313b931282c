/** A record for people: one line a case, with the figure that it is about. */
import type { BenchRecord, Figure } from '../src/cli/bench-record.js'
import { significant, table } from '../src/cli/text.js'

export function summaryOf({ results }: BenchRecord): string {
  const rows = results.flatMap(({ id, figures: [first, ...others] }) => {
    if (first === undefined) return []
    const p99 = others.find(({ name }) => name === 'p99ms')
    return [[id, cellOf(first), spreadOf(first), first.name, p99 === undefined ? '' : cellOf(p99)]]
  })
  return table([['case', 'median', 'least to most', 'figure', 'p99'], ...rows])
}

function cellOf({ values, unit }: Figure): string {
  const sorted = values.toSorted((a, b) => a - b)
  const median = ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2
  return withUnit(median, unit)
}

function spreadOf({ values, unit }: Figure): string {
  if (values.length < 2) return ''
  return `${significant(Math.min(...values))} to ${withUnit(Math.max(...values), unit)}`
}

function withUnit(value: number, unit: string): string {
  return `${significant(value)}${unit === '' || unit === '1/s' ? unit.replace('1', '') : ` ${unit}`}`
}
