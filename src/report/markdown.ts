/** A record as Markdown tables, for a commit, an issue or a README. */
import type { BenchRecord } from './bench-record.js'
import type { Comparison } from './compare.js'
import { groupsOf, isMixed, type ResultGroup } from './figures.js'
import { electionsOf } from './plots.js'
import {
  allRows,
  byOutcome,
  comparedRow,
  comparisonHead,
  countsLine,
  differenceLines,
  headLines,
  mainRows,
  methodLines,
  type Rows,
} from './words.js'

export function markdownOf(record: BenchRecord, comparison: Comparison | undefined): string {
  const groups = groupsOf(record)
  const parts = [
    '# raftbox bench',
    list(headLines(record)),
    ...(comparison === undefined ? [] : comparisonParts(comparison)),
    'Figures are medians over the rounds, with their range in parentheses.',
    ...groups.flatMap((group) => [`## ${escapedCell(group.name)}`, table(mainRows(group))]),
    ...electionParts(record),
    ...allParts(groups),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function comparisonParts(comparison: Comparison): string[] {
  const { beforeAt, afterAt } = comparison
  const rows = byOutcome(comparison).map(comparedRow)
  return [
    '## Compared',
    `The run of ${escapedCell(afterAt)} against that of ${escapedCell(beforeAt)}: ${countsLine(comparison)}.`,
    list(methodLines(comparison)),
    list(differenceLines(comparison)),
    rows.length === 0 ? 'The two runs have no figure in common.' : table({ head: comparisonHead, rows }),
  ]
}

/** Mixed groups have shown all of theirs. */
function allParts(groups: readonly ResultGroup[]): string[] {
  const rest = groups.filter((group) => !isMixed(group))
  return rest.length === 0 ? [] : ['## All figures', ...rest.map((group) => table(allRows(group)))]
}

function electionParts({ results }: BenchRecord): string[] {
  const lines = results.flatMap(({ id, timeline }) =>
    electionsOf(timeline).map(({ words }) => `${id}: ${words}`),
  )
  return lines.length === 0 ? [] : ['## Elections', list(lines)]
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${escapedCell(line)}`).join('\n')
}

function table({ head, rows }: Rows): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapedCell).join(' | ')} |`
  return [
    line(head),
    `|${head.map((_, at) => (at === 0 ? '---' : '--:')).join('|')}|`,
    ...rows.map(line),
  ].join('\n')
}

/** A title may hold anything; it must neither end its cell nor become markup. */
function escapedCell(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>|]/g, '\\$&')
}
