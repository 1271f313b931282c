/** The flags of `raftbox sim`. */
import type { Command } from 'commander'
import { BadInput, interruptible, wholeNumber } from '../terminal/index.js'
import { pathFlag } from './flags.js'
import { secondsDefault } from './shrink.js'
import { fromDefault, type SimOptions, seedsDefault, simCommand } from './sim.js'

const seedMax = 2 ** 32 - 1
const secondsMax = 24 * 3600

const explanation = `
Each seed is a cluster with faulty links, disks and clocks in virtual time. The same seed gives
the same run, to the byte, on any machine. A seed that breaks a promise is printed with what
happened last, and the exit code is 1.

Examples:
  raftbox sim                          200 seeds
  raftbox sim --seeds 5000 --from 1000 --json
  raftbox sim --seed 42 --trace        everything that happens in one of them
  raftbox sim --seed 42 --story run.story      why it had its elections: raftbox explain run.story
  raftbox sim --seed 42 --record run.jsonl     and again, without the world around: raftbox replay run.jsonl
  raftbox sim --seed 42 --shrink found.jsonl --svg found.svg   a seed that fails, as few steps and as a picture

--shrink first takes away what the seed's world does not need: faults, clients, nodes, changes of the
members. Then it looks for the shortest list of steps that breaks a rule of the protocol: who takes which
message, who hears nobody, who loses its power. The file holds the list, or the world where no list breaks
a rule. raftbox replay FILE runs it again; in test/found, it is a test.
`

export function addSim(program: Command): void {
  program
    .command('sim')
    .summary('look for a seed of faults that breaks a promise, or replay one')
    .description('Runs clusters in virtual time, with faults, and checks every promise at every step.')
    .option('--seeds <count>', 'how many seeds (default: 200)', wholeNumber('--seeds', 1, 100_000_000))
    .option('--from <seed>', 'the first of them (default: 1)', wholeNumber('--from', 0, seedMax))
    .option('--seed <seed>', 'only this one', wholeNumber('--seed', 0, seedMax))
    .option('--trace', 'with --seed: a line for each thing that happens')
    .option(
      '--record <file>',
      'with --seed: write there all that the nodes are told',
      pathFlag('--record', 'file'),
    )
    .option(
      '--story <file>',
      'with --seed: write there what happened and why, for raftbox explain',
      pathFlag('--story', 'file'),
    )
    .option(
      '--shrink <file>',
      'with --seed: look for the smallest run that fails, and write it there',
      pathFlag('--shrink', 'file'),
    )
    .option('--svg <file>', 'with --shrink: draw it there', pathFlag('--svg', 'file'))
    .option(
      '--seconds <seconds>',
      `with --shrink: the longest time (default: ${secondsDefault})`,
      wholeNumber('--seconds', 1, secondsMax),
    )
    .option('--json', 'end with one JSON object')
    .addHelpText('after', explanation)
    .action(async (options: SimOptions) => {
      checkTogether(options)
      checkLast(options)
      process.exitCode = await interruptible((signal) => simCommand(options, signal))
    })
}

function checkTogether(options: SimOptions): void {
  const { seed, seeds, from, trace, record, story, shrink, svg, seconds } = options
  if (seed !== undefined && (seeds !== undefined || from !== undefined)) {
    throw new BadInput('--seed: leave it out with --seeds and --from, or them with it')
  }
  if (trace && seed === undefined) throw new BadInput('--trace: name one seed with --seed')
  if (record !== undefined && seed === undefined) throw new BadInput('--record: name one seed with --seed')
  if (story !== undefined && seed === undefined) throw new BadInput('--story: name one seed with --seed')
  if (shrink !== undefined && seed === undefined) throw new BadInput('--shrink: name one seed with --seed')
  if (shrink !== undefined && (trace || (record ?? story) !== undefined)) {
    throw new BadInput('--shrink: leave it out with --trace, --record and --story, or them with it')
  }
  if (shrink === undefined && (svg ?? seconds) !== undefined) {
    throw new BadInput('--svg, --seconds: they belong to --shrink; give --shrink FILE too')
  }
}

function checkLast({ from = fromDefault, seeds = seedsDefault }: SimOptions): void {
  const last = from + seeds - 1
  if (last <= seedMax) return
  throw new BadInput(`--seeds, --from: the last seed would be ${last}, and there is none above ${seedMax}`)
}
