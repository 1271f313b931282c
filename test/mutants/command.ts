/** `raftbox mutants`, as the command line loads it in a checkout. */
import { writeFileSync } from 'node:fs'
import type { MutantsOptions } from '../../src/cli/mutants.js'
import { BadInput, checkWritable, Progress } from '../../src/terminal/index.js'
import type { Verdict } from './hunt.js'
import { allMutants } from './list/index.js'
import { type Mutant, roomOf } from './mutant.js'
import { type Result, runMutants, runUnmutated } from './run.js'
import { progressLine, recordOf, tableOf, verdictLine } from './words.js'

/** The exit code: 0 when every mutant was killed, and the program without a mistake passed the same seeds and tests. */
export async function mutantsCommand(options: MutantsOptions, signal: AbortSignal): Promise<number> {
  const { seeds, json = false, record } = options
  const mutants = chosen(options)
  if (record !== undefined) checkWritable('--record', record)
  const progress = new Progress()
  const startMs = performance.now()
  const done: Result[] = []
  const told = (result: Result): void => {
    done.push(result)
    // What was done is not lost when the run is interrupted.
    if (record !== undefined) writeFileSync(record, recordOf(done, seeds, secondsSince(startMs)))
    progress.show(progressLine(done, mutants.length, performance.now() - startMs))
  }
  const results = await runMutants(mutants, { seeds, signal, told })
  progress.show('the program without a mistake')
  const unmutated = await runUnmutated(results, mutants, signal)
  progress.clear()
  const seconds = secondsSince(startMs)
  if (record !== undefined) writeFileSync(record, recordOf(results, seeds, seconds))
  return tell(results, unmutated, seconds, json)
}

function secondsSince(startMs: number): number {
  return Math.round((performance.now() - startMs) / 1000)
}

function tell(
  results: readonly Result[],
  unmutated: readonly Verdict[],
  seconds: number,
  json: boolean,
): number {
  const survivors = results.filter(({ isKilled }) => !isKilled).map(({ id }) => id)
  const failures = unmutated.filter(({ by }) => by !== 'nothing')
  if (!json) {
    process.stdout.write(`${tableOf(results)}\n`)
    for (const { by, detail } of failures) process.stdout.write(`without a mistake: ${by}: ${detail}\n`)
    process.stdout.write(`${verdictLine(results.length, survivors, seconds)}\n`)
  } else {
    const sum = { mutants: results.length, killed: results.length - survivors.length, survivors }
    process.stdout.write(`${JSON.stringify({ ...sum, unmutated: failures, seconds, results })}\n`)
  }
  return survivors.length + failures.length === 0 ? 0 : 1
}

function chosen({ only, room }: MutantsOptions): Mutant[] {
  const unknown = only?.find((id) => !allMutants.some((mutant) => mutant.id === id))
  if (unknown !== undefined) throw new BadInput(`--only: there is no mutant '${unknown}'`)
  const mutants = allMutants.filter(
    (mutant) =>
      (only === undefined || only.includes(mutant.id)) && (room === undefined || roomOf(mutant) === room),
  )
  if (mutants.length > 0) return mutants
  if (only !== undefined) throw new BadInput(`--room: none of the mutants that --only names is in '${room}'`)
  throw new BadInput(`--room: give one of ${[...new Set(allMutants.map(roomOf))].join(', ')}, not '${room}'`)
}
