/** Two records, figure by figure: what is better, worse or the same, and what else differs between the runs. */
import type { BenchRecord, BenchResult, Figure } from './bench-record.js'
import { decide, type Method, medianOf, relativeChange, type Verdict } from './verdict.js'

/** `changed`: beyond the noise, of a figure that is neither good nor bad. */
export type Outcome = 'better' | 'worse' | 'same' | 'changed'

export interface ComparedFigure {
  readonly id: string
  readonly title: string
  readonly figure: string
  readonly unit: string
  readonly before: number
  readonly after: number
  /** Of the value before; infinite from nothing to something. */
  readonly change: number
  readonly rounds: readonly [before: number, after: number]
  readonly outcome: Outcome
  readonly method: Method
  readonly chance: number | undefined
}

/** Of the machine, the versions, the settings, or the parameters of a result. */
export interface Difference {
  readonly what: string
  readonly before: string
  readonly after: string
}

export interface Comparison {
  readonly beforeAt: string
  readonly afterAt: string
  readonly figures: readonly ComparedFigure[]
  readonly differences: readonly Difference[]
  readonly onlyBefore: readonly string[]
  readonly onlyAfter: readonly string[]
}

export function compareRecords(before: BenchRecord, after: BenchRecord): Comparison {
  const named = (record: BenchRecord): Map<string, [BenchResult, Figure]> =>
    new Map(
      record.results.flatMap((result) =>
        result.figures.map((figure) => [`${result.id} ${figure.name}`, [result, figure]] as const),
      ),
    )
  const [old, recent] = [named(before), named(after)]
  // Milliseconds and seconds are no figure before and after.
  const hasTwin = ([key, [, { unit }]]: [string, [BenchResult, Figure]], others: typeof old): boolean =>
    others.get(key)?.[1].unit === unit
  const onlyIn = (figures: typeof old, others: typeof old): string[] =>
    [...figures]
      .filter((entry) => !hasTwin(entry, others))
      .map(([key, [, { unit }]]) => (others.has(key) ? `${key} (${unit})` : key))
  return {
    beforeAt: before.startedAt,
    afterAt: after.startedAt,
    figures: [...recent].flatMap((entry) => {
      const [key, [result, figure]] = entry
      const found = old.get(key)
      return found === undefined || !hasTwin(entry, old) ? [] : [compareFigure(result, found[1], figure)]
    }),
    differences: differencesOf(before, after),
    onlyBefore: onlyIn(old, recent),
    onlyAfter: onlyIn(recent, old),
  }
}

export function countsOf({ figures }: Comparison): Record<Outcome, number> {
  const counts = { better: 0, worse: 0, same: 0, changed: 0 }
  for (const { outcome } of figures) counts[outcome]++
  return counts
}

/** How many figures would seem to differ by chance alone, at most. */
export function falseAlarms({ figures }: Comparison): number {
  return figures.reduce((sum, { chance }) => sum + (chance ?? 0), 0)
}

/** Fewer that differ say nothing of a direction. */
const driftFiguresMin = 6
const driftShare = 0.8

/**
 * Whether nearly all that differs goes one way, over cases of different kinds: so does all that a busier or quieter
 * machine does, and no test of rounds can tell it from a change of the program.
 */
export function looksLikeDrift(comparison: Comparison): 'better' | 'worse' | undefined {
  const { better, worse } = countsOf(comparison)
  if (better + worse < driftFiguresMin) return undefined
  if (better >= driftShare * (better + worse)) return 'better'
  return worse >= driftShare * (better + worse) ? 'worse' : undefined
}

function compareFigure({ id, title }: BenchResult, old: Figure, recent: Figure): ComparedFigure {
  const { verdict, method, chance } = decide(old.values, recent.values)
  const [before, after] = [medianOf(old.values), medianOf(recent.values)]
  return {
    id,
    title,
    figure: recent.name,
    unit: recent.unit,
    before,
    after,
    change: relativeChange(before, after),
    rounds: [old.values.length, recent.values.length],
    outcome: outcomeOf(verdict, recent.better),
    method,
    chance,
  }
}

function outcomeOf(verdict: Verdict, better: Figure['better']): Outcome {
  if (verdict === 'same') return 'same'
  if (better === 'neither') return 'changed'
  return verdict === better ? 'better' : 'worse'
}

function differencesOf(before: BenchRecord, after: BenchRecord): Difference[] {
  const parts = ['machine', 'versions', 'settings'] as const
  const byId = new Map(before.results.map((result) => [result.id, result]))
  return [
    ...parts.flatMap((part) => differing(part, before[part], after[part])),
    ...after.results.flatMap(({ id, parameters }) => {
      const old = byId.get(id)
      return old === undefined ? [] : differing(id, old.parameters, parameters)
    }),
  ]
}

function differing(
  part: string,
  old: Readonly<Record<string, unknown>>,
  recent: Readonly<Record<string, unknown>>,
): Difference[] {
  return [...new Set([...Object.keys(old), ...Object.keys(recent)])]
    .filter((name) => old[name] !== recent[name])
    .map((name) => ({
      what: `${part}: ${name}`,
      before: String(old[name] ?? 'not given'),
      after: String(recent[name] ?? 'not given'),
    }))
}
