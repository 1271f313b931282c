/** Runs the cases in turn, and makes a record of what came of them. */
import { type BenchRecord, type BenchResult, medianOf } from '../../src/report/index.js'
import { decimal, lineOf } from '../../src/terminal/index.js'
import type { BenchCase, Extent, Group, Sample } from './case.js'
import { resultOf } from './record.js'
import { recordHead } from './record-head.js'
import { turnsOf } from './turns.js'

export interface SuiteOptions {
  readonly groups: readonly Group[]
  readonly extent: Extent
  readonly rounds: number
  readonly seconds: number
  readonly signal: AbortSignal
  tell(progress: string): void
}

export interface SuiteOutcome {
  readonly record: BenchRecord
  /** Cases that are missing in the record, and targets that were missed, with the reason. */
  readonly failures: readonly string[]
}

interface Entry {
  readonly group: string
  readonly bench: BenchCase
  readonly samples: Sample[]
}

/** A case that fails is told and left out: it takes nothing else with it. */
export async function runSuite(options: SuiteOptions): Promise<SuiteOutcome> {
  const startedAt = new Date()
  const failures: string[] = []
  const entries = options.groups.flatMap(({ name: group, cases }) =>
    cases(options.extent).map((bench): Entry => ({ group, bench, samples: [] })),
  )
  for (const { item: entry, round, at } of turnsOf(entries, options.rounds)) {
    // Once it has failed, one value a round is out of reach.
    if (entry.samples.length < round) continue
    const where = `round ${round + 1}/${options.rounds}, ${at + 1}/${entries.length} ${idOf(entry)}`
    try {
      entry.samples.push(await runCase(entry.bench, options, where))
    } catch (error) {
      options.signal.throwIfAborted()
      failures.push(leftOut(entry, error))
    }
  }
  const complete = entries.filter(({ samples }) => samples.length === options.rounds)
  const results: BenchResult[] = []
  const missed: string[] = []
  for (const entry of complete) {
    const { group, bench, samples } = entry
    try {
      const result = resultOf(group, bench, samples)
      results.push(result)
      missed.push(...missedBy(result, samples[0]))
    } catch (error) {
      failures.push(leftOut(entry, error))
    }
  }
  return { record: recordOf(options, startedAt, results), failures: [...failures, ...missed] }
}

async function runCase(bench: BenchCase, options: SuiteOptions, where: string): Promise<Sample> {
  const { seconds, signal, tell } = options
  signal.throwIfAborted()
  tell(where)
  const sample = await bench.run({ seconds, signal, tell: (progress) => tell(`${where}: ${progress}`) })
  // An interrupted measurement may seem to have ended well.
  signal.throwIfAborted()
  return sample
}

/** A line for each figure whose median misses its target. */
function missedBy({ id, figures }: BenchResult, sample: Sample | undefined): string[] {
  return figures.flatMap(({ name, values }) => {
    const target = sample?.figures.find((figure) => figure.name === name)?.atLeast ?? Number.NEGATIVE_INFINITY
    const median = medianOf(values)
    return median < target ? `${id}: ${name} is ${decimal(median, 2)}, and not at least ${target}` : []
  })
}

function leftOut(entry: Entry, error: unknown): string {
  return `not in the record: ${idOf(entry)}: ${lineOf(error)}`
}

function idOf({ group, bench }: Entry): string {
  return `${group}/${bench.name}`
}

function recordOf(
  { groups, extent, rounds, seconds }: SuiteOptions,
  startedAt: Date,
  results: readonly BenchResult[],
): BenchRecord {
  const only = groups.map(({ name }) => name).join(',')
  return {
    ...recordHead(startedAt),
    settings: { quick: extent === 'quick', long: extent === 'long', only, rounds, seconds },
    results,
  }
}
