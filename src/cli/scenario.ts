/** `raftbox scenario`: breaks a cluster as a file says, under load, and tells whether it kept its promises. */
import type { Command } from 'commander'
import {
  findScenario,
  type HostName,
  hostNames,
  runScenario,
  type Scenario,
  type ScenarioResult,
  shippedScenarios,
  startHost,
  ThreadsHost,
} from '../scenarios/index.js'
import {
  BadInput,
  counted,
  decimal,
  interruptible,
  oneOf,
  paint,
  printable,
  wholeNumber,
} from '../terminal/index.js'
import { addLogFlags, type LogOptions, withJournal } from './journal.js'
import { keepOperations } from './operations-file.js'

interface ScenarioOptions extends LogOptions {
  readonly list?: boolean
  readonly json?: boolean
  readonly host?: HostName
  readonly seed?: number
  readonly seconds?: number
}

const seedMax = 2 ** 32 - 1

const explanation = `
A scenario is a file of steps: verbs as at the prompt of the sandbox, load, waits, and what is
expected. All the while clients write, and a ledger keeps what they were told; in the end every
acknowledged write has to be there, and all nodes have to be equal. The exit code is 0 when all
promises were kept and all expectations met, 1 when not, and 2 for a mistake in the file.

Examples:
  raftbox scenario --list
  raftbox scenario leader-kill
  raftbox scenario bridge --host simulated --seed 7     in virtual time; the same seed, the same run
  raftbox scenario chaos --seconds 600           faults of all kinds, drawn by chance
  raftbox scenario ./mine.yaml --json
`

export function addScenario(program: Command): void {
  const command = program
    .command('scenario')
    .summary('break a cluster step by step, as a file says, and judge what it promised')
    .description('Runs a scenario that ships with raftbox, or one of your own, under load.')
    .argument('[scenario]', 'the name of a scenario that ships, or a file')
    .option('--list', 'the scenarios that ship, each with what it teaches')
    .option(
      '--host <host>',
      'threads or simulated (default: the first one that the file allows)',
      oneOf('--host', hostNames),
    )
    .option('--seed <seed>', 'decides what is left to chance (default: 1)', wholeNumber('--seed', 0, seedMax))
    .option(
      '--seconds <seconds>',
      'how long faults are drawn by chance, as in chaos',
      wholeNumber('--seconds', 1, 86_400),
    )
    .option('--json', 'end with one JSON object')
  addLogFlags(command)
    .addHelpText('after', explanation)
    .action(async (name: string | undefined, options: ScenarioOptions) => {
      process.exitCode = await interruptible((signal) => scenarioCommand(name, options, signal))
    })
}

async function scenarioCommand(
  name: string | undefined,
  options: ScenarioOptions,
  signal: AbortSignal,
): Promise<number> {
  const { list = false, json = false, seed = 1 } = options
  if (list) return printList(json)
  if (name === undefined)
    throw new BadInput('give the name of a scenario or a file; raftbox scenario --list names those that ship')
  const scenario = withSeconds(findScenario(name), options.seconds)
  const host = hostFor(scenario, options.host)
  if (options.log !== undefined && host !== 'threads')
    throw new BadInput('--log: in virtual time there is no log; add --host threads')
  if (!json)
    print(`${paint.bold(scenario.name)} on ${host}, seed ${seed}\n${wrapped(printable(scenario.teaches))}\n`)
  const tell = (line: string, sinceMs: number): void => {
    if (!json) print(`${paint.dim(`${(sinceMs / 1000).toFixed(2).padStart(7)} s`)}  ${printable(line)}`)
  }
  return withJournal(options, async (log) => {
    const started = await startHost(host, scenario, seed)
    if (started instanceof ThreadsHost) log?.follow(started.cluster)
    try {
      const result = await runScenario(scenario, started, { seed, signal, tell, keep: keepOperations })
      if (json) print(JSON.stringify(result))
      else printResult(result)
      return result.verdict === 'passed' ? 0 : 1
    } finally {
      await started.close()
    }
  })
}

/** The length of the steps in which faults are drawn by chance. */
function withSeconds(scenario: Scenario, seconds: number | undefined): Scenario {
  if (seconds === undefined) return scenario
  const isDrawn = ({ type }: Scenario['steps'][number]): boolean => type === 'nemesis'
  if (!scenario.steps.some(isDrawn))
    throw new BadInput(
      `--seconds: ${scenario.name} has no step 'nemesis:', whose length it would set; leave it out`,
    )
  const text = `nemesis ${seconds}s`
  const steps = scenario.steps.map((step) =>
    step.type === 'nemesis' ? { ...step, text, ms: 1000 * seconds } : step,
  )
  return { ...scenario, steps }
}

function hostFor({ name, hosts }: Scenario, wanted: HostName | undefined): HostName {
  const host = wanted ?? hosts[0] ?? 'threads'
  if (hosts.includes(host)) return host
  throw new BadInput(`--host: ${name} runs on ${hosts.join(' and ')} only, not on ${host}`)
}

function printList(isJson: boolean): number {
  const shipped = shippedScenarios()
  if (isJson)
    print(JSON.stringify(shipped.map(({ name, teaches, hosts, nodes }) => ({ name, teaches, hosts, nodes }))))
  else for (const { name, teaches } of shipped) print(`${paint.bold(name)}\n${wrapped(teaches)}`)
  return 0
}

/** In lines of at most 88 letters, set in. */
function wrapped(text: string): string {
  return text.replace(/(\S(?:.{0,86}\S)?)(?:\s+|$)/g, '  $1\n').trimEnd()
}

function printResult(result: ScenarioResult): void {
  const { expectations, failedStep, brokenPromises, explained } = result
  print('')
  for (const line of explained) print(printable(line))
  print('')
  for (const { text, met, found } of expectations)
    print(`${met ? paint.green('met    ') : paint.red('not met')}  ${text} (found: ${printable(found)})`)
  if (failedStep !== undefined) print(paint.red(printable(failedStep)))
  for (const broken of brokenPromises) print(paint.red(`broken promise: ${printable(broken)}`))
  print(summaryOf(result))
}

function summaryOf({ verdict, acknowledged, notDone, unknown, lost, ...result }: ScenarioResult): string {
  const word = verdict === 'passed' ? paint.green(verdict) : paint.red(verdict)
  return [
    ...stormOf(result),
    `${counted(acknowledged, 'write')} acknowledged, ${decimal(lost)} lost, ${decimal(unknown)} of unknown outcome, ${decimal(notDone)} not done`,
    `at most ${decimal(result.unavailableMs)} ms without an acknowledged write, ${counted(result.elections, 'election')}`,
    paint.bold(word),
  ].join('\n')
}

/** The faults that a nemesis drew, and whether memory stayed bounded meanwhile. */
function stormOf({ nemesis, rss }: Pick<ScenarioResult, 'nemesis' | 'rss'>): string[] {
  const drawn = Object.entries(nemesis).map(([type, count]) => `${type} ${count}`)
  if (drawn.length === 0) return []
  const { beginMiB, peakMiB, endMiB } = rss
  return [
    `faults drawn: ${drawn.join(', ')}`,
    `memory of the process: ${beginMiB} MiB at first, ${peakMiB} at most, ${endMiB} at the end`,
  ]
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
