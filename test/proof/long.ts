/**
 * `npm run proof`: many seeds of the simulator and of the labs, a power loss at every moment of some runs, every order of a
 * small cluster's steps, and all mutants. The run may be stopped at any time; the next run goes on from there.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { Command } from 'commander'
import { reasonOf } from '../../src/errors/index.js'
import { addSweeps, search, sweep } from '../../src/jobs/index.js'
import { defaultBounds, wordsOf } from '../../src/search/index.js'
import {
  addFlags,
  counted,
  decimal,
  interruptible,
  Progress,
  runProgram,
  wholeNumber,
} from '../../src/terminal/index.js'
import { type Loss, lose, lossesAt, momentsOf, type Run } from '../crashes/moments.js'
import { longRuns } from '../crashes/runs.js'
import { allLabs, playSeeds } from '../labs/labs.js'
import type { Verdict } from '../mutants/hunt.js'
import { allMutants } from '../mutants/list/index.js'
import { runMutants, runUnmutated } from '../mutants/run.js'
import { minutes, tableOf, verdictLine } from '../mutants/words.js'
import { recordOf } from './long-record.js'
import { digestOf, type ProofState, readState, writeState } from './long-state.js'

interface Flags {
  readonly seeds: number
  readonly labSeeds: number
  readonly searchSeconds: number
  readonly mutantSeeds: number
  readonly record?: string
  readonly fresh?: boolean
}

/** A part of the proof, counted in steps. */
interface Part {
  readonly name: string
  readonly all: number
  readonly done: () => number
  readonly seconds: () => number
  /** Goes on to the end of the part. `stepped` is called after each step that counts. */
  readonly run: (signal: AbortSignal, stepped: () => void) => Promise<void>
}

const stateFile = '.proof.json'
/** The state is written once for so many seeds. */
const seedsOfStep = 1000
const lossesOfStep = 50

const program = new Command('npm run proof --').description(
  'Runs seeds of the simulator and of the labs, power losses, the search and all mutants for hours. Ctrl-C stops it, and the next run goes on from there.',
)
addFlags(program, [
  ['--seeds <count>', 'seeds of the simulator', wholeNumber('--seeds', 1, 100_000_000), 20_000],
  ['--lab-seeds <count>', 'seeds of each lab', wholeNumber('--lab-seeds', 1, 1_000_000), 300],
  ['--search-seconds <seconds>', 'length of the search', wholeNumber('--search-seconds', 1, 604_800), 600],
  [
    '--mutant-seeds <count>',
    'the most seeds for a mutant',
    wholeNumber('--mutant-seeds', 1, 1_000_000),
    2000,
  ],
  ['--record <file>', 'write there what was done so far, after each step'],
  ['--fresh', 'begin anew'],
])
program.action(async (flags: Flags) => {
  process.exitCode = await interruptible((signal) => prove(flags, signal))
})
await runProgram(program, () => 'npm run proof -- --help')

async function prove(flags: Flags, signal: AbortSignal): Promise<number> {
  const { seeds, labSeeds, searchSeconds, mutantSeeds, record, fresh = false } = flags
  if (fresh) rmSync(stateFile, { force: true })
  const state = readState(stateFile, `${digestOf(['src', 'test'])} ${searchSeconds} ${mutantSeeds}`)
  const parts = [
    ...[seedsPart(state, seeds), labsPart(state, labSeeds), lossesPart(state)],
    ...[searchPart(state, searchSeconds), mutantsPart(state, mutantSeeds)],
  ]
  const progress = new Progress(true)
  for (const part of parts) {
    await part.run(signal, () => {
      writeState(stateFile, state)
      if (record !== undefined) writeFileSync(record, recordOf(state))
      progress.show(progressOf(parts))
    })
    signal.throwIfAborted()
  }
  progress.show('the program without a mistake, against the seeds and tests that found the mistakes')
  const unmutated = await runUnmutated(state.mutants.results, allMutants, signal)
  progress.clear()
  if (record !== undefined) writeFileSync(record, recordOf(state, unmutated))
  return tell(state, unmutated)
}

/** The time left is told from the times of the steps so far, those of earlier runs among them. */
function progressOf(parts: readonly Part[]): string {
  const told = parts.map(({ name, all, done }) => `${done()} of ${all} ${name}`)
  const known = parts.filter(({ done }) => done() > 0)
  const leftMs = known.reduce((sum, { all, done, seconds }) => {
    return sum + (1000 * seconds() * Math.max(0, all - done())) / done()
  }, 0)
  return `${told.join(', ')}; ${known.length < parts.length ? 'more than' : 'about'} ${minutes(leftMs)} left`
}

/** The work of the steps of a part. */
interface Steps<Found> {
  /** How much is done, as the file keeps it. */
  readonly counts: { done: number; seconds: number }
  /** `from`: what is done before the step. An interrupted step may give anything: it is taken again by the next run. */
  readonly take: (from: number, count: number, signal: AbortSignal) => Promise<Found>
  readonly keep: (found: Found) => void
}

/** A part of many steps, each of which counts `ofStep` but the last. */
function steppedPart<Found>(
  { name, all, ofStep }: Pick<Part, 'name' | 'all'> & { readonly ofStep: number },
  { counts, take, keep }: Steps<Found>,
): Part {
  return {
    name,
    all,
    done: () => counts.done,
    seconds: () => counts.seconds,
    run: async (signal, stepped) => {
      while (counts.done < all) {
        // A step may take no more than one turn, and Ctrl-C is heard between two turns.
        await setImmediate()
        if (signal.aborted) return
        const startMs = performance.now()
        const count = Math.min(ofStep, all - counts.done)
        const found = await take(counts.done, count, signal)
        if (signal.aborted) return
        keep(found)
        counts.done += count
        counts.seconds += (performance.now() - startMs) / 1000
        stepped()
      }
    },
  }
}

function seedsPart({ seeds }: ProofState, all: number): Part {
  return steppedPart(
    { name: 'seeds', all, ofStep: seedsOfStep },
    {
      counts: seeds,
      take: (from, count, signal) => sweep({ from: from + 1, seeds: count, signal }),
      keep: (part) => {
        seeds.sum = addSweeps(seeds.sum, part)
      },
    },
  )
}

/** A step is one seed of each lab, and takes seconds: the event loop takes up a Ctrl-C between two labs. */
function labsPart({ labs }: ProofState, all: number): Part {
  return steppedPart(
    { name: 'seeds of the labs', all, ofStep: 1 },
    {
      counts: labs,
      take: async (from, _, signal) => {
        const failures: string[] = []
        for (const lab of allLabs) {
          await setImmediate()
          if (signal.aborted) break
          try {
            playSeeds(lab, from + 1, from + 1)
          } catch (error) {
            failures.push(reasonOf(error))
          }
        }
        return failures
      },
      keep: (failures) => labs.failures.push(...failures),
    },
  )
}

/** In this thread: a run up to a power loss and on to its end takes less than a tenth of a second. */
function lossesPart({ losses }: ProofState): Part {
  const all = longRuns.flatMap(lossesOf)
  return steppedPart(
    { name: 'power losses', all: all.length, ofStep: lossesOfStep },
    {
      counts: losses,
      take: async (from, count) =>
        all.slice(from, from + count).flatMap(({ run, loss, error }) => {
          const broken = error ?? (loss && brokenBy(run, loss))
          return broken === undefined ? [] : `seed ${run.seed}, ${JSON.stringify(loss)}: ${broken}`
        }),
      keep: (violations) => losses.violations.push(...violations),
    },
  )
}

/** The power losses of a run; or why it has none, when the run does not hold without them. */
function lossesOf(run: Run): { readonly run: Run; readonly loss?: Loss; readonly error?: string }[] {
  try {
    return momentsOf(run).moments.flatMap((moment) => lossesAt(moment).map((loss) => ({ run, loss })))
  } catch (error) {
    return [{ run, error: reasonOf(error) }]
  }
}

/** An error of the simulator's own is told like a violation, and the proof goes on. */
function brokenBy(run: Run, loss: Loss): string | undefined {
  try {
    const { violation } = lose(run, loss)
    return violation && `${violation.rule}: ${violation.detail}`
  } catch (error) {
    return reasonOf(error)
  }
}

/** One step: a search that was stopped begins anew. */
function searchPart(state: ProofState, seconds: number): Part {
  return {
    name: 'search',
    all: 1,
    done: () => (state.search === undefined ? 0 : 1),
    seconds: () => seconds,
    run: async (signal, stepped) => {
      if (state.search !== undefined) return
      const { states, depth, broken } = await search({ bounds: defaultBounds, seconds, signal })
      if (signal.aborted) return
      const violation = broken && [...broken.steps.map(wordsOf), `${broken.rule}: ${broken.detail}`]
      state.search = { states, depth, violation: violation ?? [] }
      stepped()
    },
  }
}

function mutantsPart({ mutants }: ProofState, seeds: number): Part {
  return {
    name: 'mutants',
    all: allMutants.length,
    done: () => mutants.results.length,
    seconds: () => mutants.seconds,
    run: async (signal, stepped) => {
      const isDone = (id: string): boolean => mutants.results.some((result) => result.id === id)
      const left = allMutants.filter(({ id }) => !isDone(id))
      if (left.length === 0) return
      let sinceMs = performance.now()
      await runMutants(left, {
        seeds,
        signal,
        told: (result) => {
          mutants.results.push(result)
          mutants.seconds += (performance.now() - sinceMs) / 1000
          sinceMs = performance.now()
          stepped()
        },
      })
    },
  }
}

function tell(
  { seeds, labs, losses, search: searched, mutants }: ProofState,
  unmutated: readonly Verdict[],
): number {
  const { done } = seeds
  const { violations } = seeds.sum
  const survivors = mutants.results.filter(({ isKilled }) => !isKilled).map(({ id }) => id)
  const failures = unmutated.filter(({ by }) => by !== 'nothing')
  const lines = [
    ...violations.map(({ seed, rule, detail }) => `seed ${seed}: ${rule}: ${detail}`),
    ...labs.failures,
    ...losses.violations,
    ...(searched?.violation ?? []),
    tableOf(mutants.results),
    ...failures.map(({ by, detail }) => `without a mistake: ${by}: ${detail}`),
    `${decimal(searched?.states ?? 0)} worlds searched, all up to ${counted(searched?.depth ?? 0, 'step')}`,
    `${counted(done, 'seed')}, ${counted(violations.length, 'violation')}`,
    `${counted(labs.done, 'seed')} of ${allLabs.length} labs, ${counted(labs.failures.length, 'failure')}`,
    `${decimal(losses.done)} power losses, ${counted(losses.violations.length, 'violation')}`,
    verdictLine(mutants.results.length, survivors, mutants.seconds),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  const found =
    violations.length +
    labs.failures.length +
    losses.violations.length +
    (searched?.violation.length ?? 0) +
    survivors.length +
    failures.length
  return found === 0 ? 0 : 1
}
