/** The run of many mutants, several at a time, each in a copy of the checkout. */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { CheckoutCopy } from './checkout-copy.js'
import { compileMutants } from './compile.js'
import { hunt, type Verdict } from './hunt.js'
import { type FixedPlan, type Mutant, roomOf } from './mutant.js'

/** What became of a mutant: plain data, a line of the record. */
export interface Result extends Verdict {
  readonly id: string
  readonly room: string
  readonly breaks: string
  readonly what: string
  readonly seconds: number
  /** What was not left to the seeds. */
  readonly fixed?: FixedPlan
}

export interface RunOptions {
  /** The most seeds that the simulator gets for a mutant. */
  readonly seeds: number
  readonly signal: AbortSignal
  /** Called as each mutant is done. */
  readonly told: (result: Result) => void
}

/** The results in the order of the mutants. Rejects when the signal is aborted. */
export async function runMutants(mutants: readonly Mutant[], options: RunOptions): Promise<Result[]> {
  const results = new Map<Mutant, Result>()
  const compiled = compileMutants(mutants)
  await inCopies(async (copies) => {
    const waiting = [...mutants]
    const work = async (copy: CheckoutCopy): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const result = await runOne(copy, next, compiled.get(next.id) ?? '', options)
        results.set(next, result)
        options.told(result)
      }
    }
    await allEnded(copies.map(work))
  })
  return mutants.flatMap((mutant) => results.get(mutant) ?? [])
}

/**
 * What the program without a mistake does with the same seeds and tests: every verdict of it has to be that nothing was
 * found.
 */
export async function runUnmutated(
  results: readonly Result[],
  mutants: readonly Mutant[],
  signal: AbortSignal,
): Promise<Verdict[]> {
  const waiting = unmutatedRuns(results, mutants)
  const verdicts: Verdict[] = []
  await inCopies((copies) => {
    const work = async (copy: CheckoutCopy): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        verdicts.push(await hunt(copy, next, next.seeds, signal))
    }
    return allEnded(copies.map(work))
  })
  return verdicts
}

/** The seeds of each fixed part of a plan up to the last that killed a mutant, and all tests. */
function unmutatedRuns(
  results: readonly Result[],
  mutants: readonly Mutant[],
): (Pick<Mutant, 'killedBy' | 'fixed'> & { readonly seeds: number })[] {
  const tests = new Set(mutants.flatMap(({ killedBy }) => (killedBy === 'simulator' ? [] : killedBy)))
  const seedsOf = new Map<string, number>()
  for (const { id, fixed } of mutants) {
    const found = results.find((result) => result.id === id)
    const plan = JSON.stringify(fixed ?? {})
    if (found?.isKilled) seedsOf.set(plan, Math.max(seedsOf.get(plan) ?? 0, found.seeds ?? 0))
  }
  const ofSeeds = [...seedsOf]
    .filter(([, seeds]) => seeds > 0)
    .map(([plan, seeds]) => ({ killedBy: 'simulator' as const, fixed: JSON.parse(plan) as FixedPlan, seeds }))
  return tests.size > 0 ? [...ofSeeds, { killedBy: [...tests], seeds: 0 }] : ofSeeds
}

async function runOne(
  copy: CheckoutCopy,
  mutant: Mutant,
  compiled: string,
  { seeds, signal }: RunOptions,
): Promise<Result> {
  const { id, breaks, what, file, fixed } = mutant
  const startMs = performance.now()
  const putBack = copy.place(file, compiled)
  try {
    const verdict = await hunt(copy, mutant, seeds, signal)
    const seconds = Math.round((performance.now() - startMs) / 100) / 10
    return { id, room: roomOf(mutant), breaks, what, ...verdict, seconds, ...(fixed && { fixed }) }
  } finally {
    putBack()
  }
}

/** Nothing runs in a copy any more once this rejects. */
async function allEnded(works: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

/** As many copies as there are processors. They are removed afterwards. */
async function inCopies(work: (copies: readonly CheckoutCopy[]) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'raftbox-mutants-'))
  try {
    const copies = Array.from(
      { length: availableParallelism() },
      (_, at) => new CheckoutCopy(join(folder, `${at}`)),
    )
    await work(copies)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
