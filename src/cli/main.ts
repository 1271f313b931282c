#!/usr/bin/env node
/** The command line. Exit codes: 0 done, 1 the answer is no or it failed, 2 bad input; 128 + n after signal n. */
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { addBench } from './bench.js'
import { addCard } from './card.js'
import { BadInput, exitCodeOf, reportFailure } from './failure.js'
import { addLoad } from './load.js'
import { addReport } from './report.js'
import { addSandbox } from './sandbox.js'
import { addSim } from './sim-flags.js'

const examples = `
Examples:
  raftbox card                            how fast is it here? (under a minute)
  raftbox bench --clients 64 --json       one measurement, for programs
  raftbox sandbox                         kill the leader, and see why the next one leads
  raftbox load cities.jsonl --key id      put a file's records, and compare the nodes
  raftbox sim --seeds 1000                look for a seed that breaks a promise
  raftbox report new.json --compare old.json    what changed beyond the noise?
  raftbox help bench                      all flags of a command, with units and defaults

Exit codes: 0 done, 1 the answer is no or it failed, 2 bad input; 130 after Ctrl-C.
`

/** By its own name, so that it is found from the sources' place and from the compiled one. */
const { version } = createRequire(import.meta.url)('raftbox/package.json') as { version: string }

function createProgram(): Command {
  const program = new Command('raftbox')
    .description('A Raft cluster in one process: run it, measure it, break it, and check what it promised.')
    .version(version)
    .exitOverride()
    // Errors are told in one line, below.
    .configureOutput({ writeErr: () => undefined })
    .showSuggestionAfterError(true)
    .addHelpText('after', examples)
  addBench(program)
  addCard(program)
  addSandbox(program)
  addLoad(program)
  addSim(program)
  addReport(program)
  return program
}

/** Commander's own words for a wrong flag or command, and where to look. */
function asBadInput(
  { code, message }: CommanderError,
  [command = '', topic = '']: readonly string[],
): BadInput {
  if (code === 'commander.help') return new BadInput(`unknown command '${topic}'; see raftbox --help`)
  const words = message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')
  const isCommand = createProgram().commands.some((known) => known.name() === command)
  return new BadInput(`${words}; see raftbox ${isCommand ? `help ${command}` : '--help'}`)
}

try {
  const program = createProgram()
  // Who types no more than the name wants to know what there is.
  if (process.argv.length <= 2) program.outputHelp()
  else await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) {
    process.exitCode = 0
  } else {
    const told = error instanceof CommanderError ? asBadInput(error, process.argv.slice(2)) : error
    reportFailure(told)
    process.exitCode = exitCodeOf(told)
  }
}
