/** The comparison as a table for people. */
import { decimal, paint, significant, table } from '../../src/terminal/index.js'
import { type Spread, spreadOf, type Target } from './ratio.js'
import type { RowResult } from './rounds.js'

export function comparisonOf(results: readonly RowResult[], rounds: number): string {
  const head = ['row', 'raftbox', 'peer', 'min', 'median', 'max', 'target', '']
  const lines = [
    `raftbox / peer, each ratio formed within one of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}; figures are medians`,
    '',
    table([head, ...results.map(cellsOf)]),
  ]
  const notes = notesOf(results)
  return [...lines, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n')
}

function cellsOf({ row, ours, theirs, spread, isMet }: RowResult): string[] {
  const isRatio = row.theirs !== undefined
  const format = isRatio ? ratioText : valueText
  return [
    row.name,
    valueText(spreadOf(ours)?.median),
    isRatio ? valueText(spreadOf(theirs)?.median) : '',
    ...(['min', 'median', 'max'] as const).map((name: keyof Spread) => format(spread?.[name])),
    row.target === undefined ? '' : targetText(row.target),
    row.target === undefined ? '' : verdictText(isMet),
  ]
}

function valueText(value: number | undefined): string {
  return value === undefined ? '-' : significant(value)
}

function ratioText(value: number | undefined): string {
  return value === undefined ? '-' : decimal(value, 2)
}

function targetText(target: Target): string {
  return 'atLeast' in target ? `>= ${significant(target.atLeast)}` : `<= ${significant(target.atMost)}`
}

function verdictText(isMet: boolean | undefined): string {
  if (isMet === undefined) return 'not measured'
  return isMet ? paint.green('met') : paint.red('missed')
}

/** What a reader has to know beside the numbers. */
function notesOf(results: readonly RowResult[]): string[] {
  return results.flatMap((result) => {
    const { row, elections, failures } = result
    const notes = failures.map((failure) => `${row.name}: ${failure}`)
    if (elections > 0) {
      notes.push(`${row.name}: ${elections} of raftbox's elections fell into the measured windows`)
    }
    return notes
  })
}
