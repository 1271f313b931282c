/** A program of the benchmarks, from its flags to one record in a file and a table for people. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import type { BenchRecord } from '../../src/report/index.js'
import {
  addFlags,
  BadInput,
  checkWritable,
  decimalNumber,
  Failed,
  type FlagRow,
  interruptible,
  Progress,
  runProgram,
  wholeNumber,
} from '../../src/terminal/index.js'

const resultsFolder = join('bench', 'results')

interface Outcome {
  readonly record: BenchRecord
  /** The record for people. */
  readonly summary: string
  /** Why the run has failed, although there is a record. */
  readonly failure: string | undefined
}

interface Context {
  readonly signal: AbortSignal
  tell(progress: string): void
  /** A line that stays. */
  warn(line: string): void
}

interface Program<Flags> {
  /** As it is typed. */
  readonly name: string
  readonly description: string
  /** All but `--out`. */
  readonly flags: readonly FlagRow[]
  readonly explanation: string
  /** Begins the record's name and says whose it is. */
  readonly prefix: string
  /** Refuses flags that do not go together, and then gives what there is to run. */
  plan(flags: Flags): (context: Context) => Promise<Outcome>
}

export function roundsFlag(what: string): FlagRow {
  return ['--rounds <count>', `${what}, 1 to 100 (default: 3, quick 1)`, wholeNumber('--rounds', 1, 100)]
}

export function secondsFlag(what: string, usual: number, quick: number): FlagRow {
  const explanation = `length of ${what}, 0.1 to 600 (default: ${usual}, quick ${quick})`
  return ['--seconds <seconds>', explanation, decimalNumber('--seconds', 0.1, 600)]
}

export async function runBenchProgram<Flags>(program: Program<Flags>): Promise<void> {
  const { name, description, flags, explanation } = program
  const out: FlagRow = [
    '--out <file>',
    `where the record goes (default: ${resultsFolder}, named by the time)`,
  ]
  const command = addFlags(new Command(name).description(description), [...flags, out])
    .addHelpText('after', explanation)
    .action(async (given: Flags & { readonly out?: string }) => {
      process.exitCode = await interruptible((signal) => runToRecord(program, given, signal))
    })
  await runProgram(command, () => `${name} --help`)
}

async function runToRecord<Flags>(
  { prefix, plan }: Program<Flags>,
  flags: Flags & { readonly out?: string },
  signal: AbortSignal,
): Promise<number> {
  const run = plan(flags)
  const file = recordFile(flags.out, prefix)
  const progress = new Progress(true)
  const { record, summary, failure } = await run({
    signal,
    tell: (text) => progress.show(text),
    warn: (line) => {
      progress.clear()
      process.stderr.write(`raftbox: ${line}\n`)
    },
  }).finally(() => progress.clear())
  // Shown first: it is not lost with a record that cannot be written.
  process.stdout.write(`${summary}\n\n`)
  writeFileSync(file, `${JSON.stringify(record, undefined, 1)}\n`)
  process.stdout.write(`The record is in ${file}\n`)
  if (failure !== undefined) throw new Failed(failure)
  return 0
}

/**
 * The value of `--out`, or without one a file named by the time, behind a prefix that says whose it is.
 * Looked at before anything runs, so that no hour of measuring is lost to a misspelt folder or a file that cannot be written.
 */
function recordFile(out: string | undefined, prefix: string): string {
  if (out === undefined) {
    mkdirSync(resultsFolder, { recursive: true })
    // Colons are not for file names everywhere.
    return join(resultsFolder, `${prefix}${new Date().toISOString().replaceAll(':', '-')}.json`)
  }
  if (out === '' || isFolder(out)) throw new BadInput(`--out: give the name of a file, not '${out}'`)
  if (!isFolder(dirname(resolve(out)))) {
    throw new BadInput(`--out: there is no folder ${dirname(out)}; make it, or choose another`)
  }
  checkWritable('--out', out)
  return out
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
