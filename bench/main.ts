/** `npm run bench`: the suite, from its flags to one record in a file and a table for people. */
import { writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { BadInput, Failed } from '../src/cli/failure.js'
import { decimalNumber, wholeNumber } from '../src/cli/flags.js'
import { interruptible } from '../src/cli/interrupt.js'
import { Progress } from '../src/cli/progress.js'
import { runProgram } from '../src/cli/run-program.js'
import { tuneV8 } from '../src/cli/tune-v8.js'
import type { Extent, Group } from './case.js'
import { groups } from './groups/index.js'
import { recordFile, resultsFolder } from './record-file.js'
import { runSuite } from './suite.js'
import { summaryOf } from './summary.js'

interface Flags {
  readonly quick?: boolean
  readonly long?: boolean
  readonly only?: readonly Group[]
  readonly rounds?: number
  readonly seconds?: number
  readonly out?: string
}

const usual: Readonly<Record<Extent, { readonly rounds: number; readonly seconds: number }>> = {
  quick: { rounds: 1, seconds: 0.5 },
  usual: { rounds: 3, seconds: 5 },
  long: { rounds: 3, seconds: 5 },
}

const explanation = `
The cases run in turn, round by round; the record holds one value a round of every figure.

Groups: ${groups.map(({ name }) => name).join(', ')}

Examples:
  npm run bench -- --quick                      a little of everything, in a few minutes
  npm run bench -- --only failover,heartbeats   two groups
  npm run bench -- --long --out today.json      as much as there is
  raftbox bench --help                          one measurement instead

Exit codes: 0 done, 1 a case failed, 2 bad input; 130 after Ctrl-C, and then there is no record.
`

const program = new Command('npm run bench --')
  .description('Runs the bench suite and writes one JSON record.')
  .option('--quick', 'a few cases of each group, one round, half a second each')
  .option('--long', 'longer where it matters: ten minutes of stability, ten million entries')
  .option('--only <groups>', 'only these groups, with commas between them', groupsFlag)
  .option(
    '--rounds <count>',
    'how often each case runs, 1 to 100 (default: 3, quick 1)',
    wholeNumber('--rounds', 1, 100),
  )
  .option(
    '--seconds <seconds>',
    'length of a measurement, 0.1 to 600 (default: 5, quick 0.5)',
    decimalNumber('--seconds', 0.1, 600),
  )
  .option('--out <file>', `where the record goes (default: ${resultsFolder}, named by the time)`)
  .addHelpText('after', explanation)
  .action(async (flags: Flags) => {
    process.exitCode = await interruptible((signal) => main(flags, signal))
  })

tuneV8()
await runProgram(program, () => 'npm run bench -- --help')

async function main(flags: Flags, signal: AbortSignal): Promise<number> {
  const { quick = false, long = false, only = groups } = flags
  if (quick && long) throw new BadInput('--quick: leave it out with --long')
  const extent = quick ? 'quick' : long ? 'long' : 'usual'
  const { rounds = usual[extent].rounds, seconds = usual[extent].seconds } = flags
  const file = recordFile(flags.out, '')
  const progress = new Progress(true)
  const { record, failures } = await runSuite({
    groups: only,
    extent,
    rounds,
    seconds,
    signal,
    tell: (text) => progress.show(text),
  }).finally(() => progress.clear())
  writeFileSync(file, `${JSON.stringify(record, undefined, 1)}\n`)
  process.stdout.write(`${summaryOf(record)}\n\nThe record is in ${file}\n`)
  if (failures.length > 0) throw new Failed(`not in the record: ${failures.join('; ')}`)
  return 0
}

function groupsFlag(text: string): Group[] {
  const names = text.split(',')
  const unknown = names.find((name) => groups.every((group) => group.name !== name))
  if (unknown !== undefined) {
    throw new BadInput(
      `--only: give one or more of ${groups.map(({ name }) => name).join(', ')}, not '${unknown}'`,
    )
  }
  return groups.filter(({ name }) => names.includes(name))
}
