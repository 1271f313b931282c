/** What a comparison leaves behind: a record such as the suite's, with every outcome of every round beside it. */
import type { BenchRecord, BenchResult, Figure } from '../../src/report/index.js'
import { recordHead } from '../suite/index.js'
import { type FigureName, labelOf } from './measurement.js'
import type { Found } from './needs.js'
import type { Round, RowResult } from './rounds.js'
import { opponentOf, type Side } from './rows.js'

export interface Comparison {
  readonly startedAt: Date
  readonly rounds: readonly Round[]
  readonly seconds: number
  /** Whether other programs kept the cores busy. */
  readonly busy: boolean
  readonly results: readonly RowResult[]
  readonly found: Found
  /** Peers that could not take part. */
  readonly leftOut: readonly string[]
}

/** `comparison` is what a record of the suite does not have. */
export function recordOf({ startedAt, rounds, seconds, busy, results, found, leftOut }: Comparison) {
  const record: BenchRecord = {
    ...recordHead(startedAt),
    settings: { rounds: rounds.length, seconds, busy },
    results: results.map(resultOf).filter(({ figures }) => figures.length > 0),
  }
  const comparison = {
    versions: versionsOf(found),
    leftOut,
    rows: results.map(({ row, ...result }) => ({
      name: row.name,
      against: opponentOf(row),
      isRatio: row.theirs !== undefined,
      target: row.target ?? null,
      ...result,
      isMet: result.isMet ?? null,
    })),
    rounds: rounds.map((round) => Object.fromEntries(round)),
  }
  return { ...record, comparison }
}

function versionsOf(found: Found): Record<string, string> {
  const commands = [...found].filter(([{ kind }]) => kind === 'command')
  return Object.fromEntries(commands.map(([{ name }, told]) => [name, told]))
}

const unitOf: Readonly<Record<FigureName, string>> = {
  commitsPerSecond: '1/s',
  callsPerSecond: '1/s',
  p50ms: 'ms',
  p99ms: 'ms',
  firstHundredP50ms: 'ms',
  heartbeatLateP999ms: 'ms',
}

function resultOf({ row, ratios, ours, theirs }: RowResult): BenchResult {
  const { measurement, figure } = row.ours
  const { program, nodes, clients, size, batch, durability, workload, reads } = measurement
  const figures: Figure[] = [figureOf(row.ours, ours)]
  if (row.theirs !== undefined) {
    const better = betterOf(figure)
    figures.push(figureOf(row.theirs, theirs), { name: 'ratio', unit: '', better, values: ratios })
  }
  return {
    id: `peers/${row.name}`,
    group: 'peers',
    title: `raftbox against ${opponentOf(row)}: ${row.name}`,
    // All in which rows differ: the plots put those on one line that differ in their clients alone.
    parameters: {
      ...{ program, against: opponentOf(row), figure, nodes, clients, size, batch, durability },
      ...(workload !== undefined && { workload, reads }),
    },
    // A peer that failed has none, and costs no other row its figures.
    figures: figures.filter(({ values }) => values.length > 0),
    distributions: [],
    timeline: [],
  }
}

function figureOf({ measurement, figure }: Side, values: readonly number[]): Figure {
  return {
    // Both sides may be raftbox.
    name: `${figure}: ${labelOf(measurement)}`,
    unit: unitOf[figure],
    better: betterOf(figure),
    values,
  }
}

function betterOf(figure: FigureName): Figure['better'] {
  return unitOf[figure] === 'ms' ? 'lower' : 'higher'
}
