#!/usr/bin/env node
/** The command line. Exit codes: 0 done, 1 the answer is no or it failed, 2 bad input; 128 + n after signal n. */
import { createRequire } from 'node:module'
import { Command } from 'commander'
import { tuneV8 } from '../load/index.js'
import { runProgram } from '../terminal/index.js'
import { tellWarnings } from './warnings.js'

const examples = `
Examples:
  raftbox card                            how fast is it here? (under a minute)
  raftbox bench --clients 64 --json       one measurement, for programs
  raftbox sandbox                         kill the leader, and see why the next one leads
  raftbox scenario leader-kill            what a cluster does about it, and whether it kept its promises
  raftbox load cities.jsonl --key id      put a file's records, and compare the nodes
  raftbox sim --seeds 1000                look for a seed that breaks a promise
  raftbox check history.jsonl             is a history linearizable, of whatever system?
  raftbox search --seconds 600            every order of steps of three nodes, within bounds
  raftbox replay run.jsonl                repeat a recorded run, and compare where it ends
  raftbox mutants                         plant known mistakes, and see that each is found
  raftbox explain run.story               why there was an election in a recorded run
  raftbox metrics --dir ./my-cluster      its figures while it runs, as Prometheus reads them
  raftbox log ./my-cluster                read the logs that a cluster left on the disk
  raftbox snapshot export ./my-cluster kept.snapshot    all that it acknowledged, in one file
  raftbox report new.json --compare old.json    what changed beyond the noise?
  raftbox help bench                      all flags of a command, with units and defaults

Exit codes: 0 done, 1 the answer is no or it failed, 2 bad input; 130 after Ctrl-C.
`

/**
 * Each command and the rooms that it needs are loaded when the command is asked for: Node opens all modules of an import
 * at once, and a process may have few descriptors.
 */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  bench: async () => (await import('./bench.js')).addBench,
  card: async () => (await import('./card.js')).addCard,
  sandbox: async () => (await import('./sandbox.js')).addSandbox,
  load: async () => (await import('./load-file.js')).addLoadFile,
  scenario: async () => (await import('./scenario.js')).addScenario,
  sim: async () => (await import('./sim-flags.js')).addSim,
  check: async () => (await import('./check.js')).addCheck,
  search: async () => (await import('./search.js')).addSearch,
  replay: async () => (await import('./replay.js')).addReplay,
  mutants: async () => (await import('./mutants.js')).addMutants,
  explain: async () => (await import('./explain.js')).addExplain,
  snapshot: async () => (await import('./snapshot.js')).addSnapshot,
  recover: async () => (await import('./recover.js')).addRecover,
  metrics: async () => (await import('./metrics.js')).addMetrics,
  log: async () => (await import('./log.js')).addLog,
  report: async () => (await import('./report.js')).addReport,
}

/** By its own name, so that it is found from the sources' place and from the compiled one. */
const { version } = createRequire(import.meta.url)('raftbox/package.json') as { version: string }

const program = new Command('raftbox')
  .description('A Raft cluster in one process: run it, measure it, break it, and check what it promised.')
  .version(version)
  .showSuggestionAfterError(true)
  .addHelpText('after', examples)
for (const add of await commandsFor(process.argv[2])) add(program)

tuneV8()
tellWarnings((line) => process.stderr.write(`${line}\n`))
// Who types no more than the name wants to know what there is.
if (process.argv.length <= 2) process.argv.push('--help')
await runProgram(program, ([command]) => `raftbox ${isCommand(command) ? `help ${command}` : '--help'}`)

function isCommand(word: string | undefined): boolean {
  return program.commands.some((known) => known.name() === word)
}

/** The command of this name; all of them, one after the other, where help or a suggestion needs their names. */
async function commandsFor(name: string | undefined): Promise<((program: Command) => void)[]> {
  const wanted =
    name !== undefined && Object.hasOwn(commands, name) ? [commands[name]] : Object.values(commands)
  const loaded: ((program: Command) => void)[] = []
  for (const load of wanted) if (load !== undefined) loaded.push(await load())
  return loaded
}
