/** The words about a run of mutants: a line of progress, a table, a file. */
import { counted, table } from '../../src/terminal/index.js'
import type { Result } from './run.js'

const byMax = 72

export function progressLine(done: readonly Result[], all: number, ms: number): string {
  const survivors = done.filter(({ isKilled }) => !isKilled).length
  const left = minutes((ms / done.length) * (all - done.length))
  return `${done.length} of ${counted(all, 'mutant')}, ${counted(survivors, 'survivor')}, about ${left} left`
}

export function minutes(ms: number): string {
  return ms < 90_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`
}

/** One mutant a line. */
export function tableOf(results: readonly Result[]): string {
  const head = ['mutant', 'room', 'breaks', 'seeds', 'seconds', 'killed by']
  return leftAligned([
    head,
    ...results.map(({ id, room, breaks, seeds, seconds, isKilled, by, fixed }) => [
      ...[id, room, breaks, seeds === null ? '' : `${seeds}${fixed ? ' *' : ''}`, seconds.toFixed(1)],
      isKilled ? by.slice(0, byMax) : `SURVIVED (${by.slice(0, byMax)})`,
    ]),
  ])
}

/** The last column is text, and begins where its heading does. */
function leftAligned(rows: readonly (readonly string[])[]): string {
  const lines = table(rows.map((cells) => cells.slice(0, -1))).split('\n')
  const width = Math.max(...lines.map(({ length }) => length))
  return lines.map((line, at) => `${line.padEnd(width)}  ${rows[at]?.at(-1) ?? ''}`).join('\n')
}

export function verdictLine(count: number, survivors: readonly string[], seconds: number): string {
  const all = `${counted(count, 'mutant')} in ${minutes(1000 * seconds)}`
  return survivors.length === 0
    ? `${all}: all killed`
    : `${all}, ${counted(survivors.length, 'survivor')}: ${survivors.join(', ')}`
}

/** The record of a run, for the repository: a line for each mutant, so that two records can be compared. */
export function recordOf(results: readonly Result[], seedsMax: number, seconds: number): string {
  const killed = results.filter(({ isKilled }) => isKilled).length
  const head = {
    command: 'raftbox mutants',
    node: process.version,
    seedsMax,
    mutants: results.length,
    killed,
    seconds,
  }
  return recordWith(head, results)
}

/** A line for each mutant behind what is told of all. */
export function recordWith(head: object, results: readonly Result[]): string {
  const lines = results.map(({ detail: _, ...result }) => `    ${JSON.stringify(result)}`)
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "results": [\n${lines.join(',\n')}\n  ]\n}\n`
}
