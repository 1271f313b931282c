/** `raftbox mutants`: plants known mistakes, one at a time, and sees that each is found. The command needs a checkout. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { BadInput, interruptible, wholeNumber } from '../terminal/index.js'
import { pathFlag } from './flags.js'

export interface MutantsOptions {
  /** The most seeds that the simulator gets for a mutant. */
  readonly seeds: number
  /** Only these. */
  readonly only?: readonly string[]
  /** Only those of this room. */
  readonly room?: string
  /** The file of the record. */
  readonly record?: string
  /** Ends with one line of JSON. */
  readonly json?: boolean
}

/** The module in the checkout, which no installed package has. */
interface Module {
  mutantsCommand(options: MutantsOptions, signal: AbortSignal): Promise<number>
}

const seedsDefault = 400

const explanation = `
A mutant is a copy of the program with a mistake in one place: a vote that is given twice, an entry that is
acknowledged before it is on the disk, a figure that counts the warm-up. Mistakes that break a promise of the
cluster must be found by the simulator alone, the others by tests. The table says which property or test noticed,
after how many seeds and seconds. A mutant that nobody notices survives, and the exit code is 1.

Examples:
  raftbox mutants                      all of them, on all processors
  raftbox mutants --only vote-for-two,commit-of-earlier-term
  raftbox mutants --room driver --json
`

export function addMutants(program: Command): void {
  program
    .command('mutants')
    .summary('plant known mistakes, and see that each is found (in a checkout)')
    .description('Plants known mistakes in copies of the program, and looks who notices them.')
    .option('--only <names>', 'some of them, with commas between', (text: string) => text.split(','))
    .option('--room <room>', 'those in this folder of src')
    .option(
      '--seeds <count>',
      'the most seeds of the simulator for a mutant',
      wholeNumber('--seeds', 1, 1_000_000),
      seedsDefault,
    )
    .option('--record <file>', 'write the results there', pathFlag('--record', 'file'))
    .option('--json', 'end with one JSON object')
    .addHelpText('after', explanation)
    .action(async (options: MutantsOptions) => {
      process.exitCode = await interruptible(async (signal) => {
        // The path is meant from where the command was called.
        const record = options.record && resolve(options.record)
        const { mutantsCommand } = await moduleInCheckout()
        return mutantsCommand({ ...options, ...(record && { record }) }, signal)
      })
    })
}

async function moduleInCheckout(): Promise<Module> {
  const root = dirname(createRequire(import.meta.url).resolve('raftbox/package.json'))
  const path = join(root, 'dist', 'test', 'mutants', 'command.js')
  if (!existsSync(path))
    throw new BadInput('mutants are made of the sources: run this in a checkout, after npm ci')
  process.chdir(root)
  return (await import(pathToFileURL(path).href)) as Module
}
