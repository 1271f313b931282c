/** A record for people: one line a case, with the figure that it is about. */
import { type BenchRecord, type Figure, medianOf } from '../../src/report/index.js'
import { significant, table } from '../../src/terminal/index.js'

export function summaryOf({ results }: BenchRecord): string {
  const rows = results.flatMap(({ id, figures: [first, ...others] }) => {
    if (first === undefined) return []
    const p99 = others.find(({ name }) => name === 'p99ms')
    return [[id, cellOf(first), spreadOf(first), first.name, p99 === undefined ? '' : cellOf(p99)]]
  })
  return table([['case', 'median', 'least to most', 'figure', 'p99'], ...rows])
}

function cellOf({ values, unit }: Figure): string {
  return withUnit(medianOf(values), unit)
}

function spreadOf({ values, unit }: Figure): string {
  if (values.length < 2) return ''
  return `${significant(Math.min(...values))} to ${withUnit(Math.max(...values), unit)}`
}

function withUnit(value: number, unit: string): string {
  return `${significant(value)}${unit === '' || unit === '1/s' ? unit.replace('1', '') : ` ${unit}`}`
}
