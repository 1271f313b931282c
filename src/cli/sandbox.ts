/** `raftbox sandbox`: a cluster and a prompt, to break it by hand and to see why it does what it does. */
import { addAbortSignal } from 'node:stream'
import type { Command } from 'commander'
import {
  type Cluster,
  type ClusterEvent,
  leaderKnown,
  RaftError,
  type ReadConfirmation,
} from '../cluster/index.js'
import { withCluster } from '../load/index.js'
import { Observer } from '../observer/index.js'
import {
  checkWritable,
  counted,
  exitCodeOf,
  interruptible,
  lineOf,
  oneOf,
  paint,
  printable,
  wholeNumber,
} from '../terminal/index.js'
import { ClusterSubject, complete, parse, perform } from '../verbs/index.js'
import { addEtcdFlag, type EtcdFlag, spoken } from './etcd.js'
import { checkApart, dirFlag, nodeIdsFlag, nodesFlag, pathFlag } from './flags.js'
import { Following } from './following.js'
import { inWords } from './happenings.js'
import { readHistory, writeHistory } from './history-file.js'
import { addLogFlags, type CommandLog, type LogOptions, withJournal } from './journal.js'
import { addPageFlags, type Page, type PageOptions, withPage } from './page.js'
import { type Editing, Prompt, scriptLines } from './prompt.js'
import { PromptEvents } from './prompt-events.js'
import { serveLines } from './sandbox-json.js'
import { recorded } from './story-file.js'
import { addTraceFlags, type TraceFlags, withTraces } from './traces.js'
import { tellWarnings } from './warnings.js'

interface SandboxOptions extends PageOptions, EtcdFlag, TraceFlags, LogOptions {
  readonly nodes?: number
  readonly dir?: string
  readonly renew?: readonly number[]
  readonly json?: boolean
  readonly record?: string
  /** Milliseconds. */
  readonly heartbeat?: number
  readonly electionTimeout?: number
  readonly reads?: ReadConfirmation
}

const examples = `
Type help at the prompt for all verbs. Lines may also come from a pipe or a file; the exit
code is then 2 if a line was not understood, and 1 if one failed.

Examples:
  raftbox sandbox --nodes 5
  raftbox sandbox --dir ./my-cluster              what was put is there again the next time
  raftbox sandbox --etcd 2379                     for etcdctl and every other client of etcd
  printf 'put a 1\\nkill leader\\nget a\\nstatus\\n' | raftbox sandbox
`

export function addSandbox(program: Command): void {
  const command = program
    .command('sandbox')
    .summary('a cluster and a prompt: kill nodes, and see what happens and why')
    .description('Starts a cluster and a prompt. Every change of role is told with its reason.')
    .option(
      '--nodes <count>',
      'voting nodes, 1 to 25 (default: 3, or what the directory was made with)',
      nodesFlag,
    )
    .option('--dir <directory>', 'keep the logs there (default: a temporary folder)', dirFlag('--dir'))
    .option(
      '--renew <nodes>',
      'nodes that may begin anew if their disk is lost, as in 2 or 1,3; such a node votes for nobody until it has caught up, so nothing acknowledged is lost as long as a majority has its disk',
      nodeIdsFlag,
    )
    .option(
      '--heartbeat <ms>',
      'milliseconds between heartbeats, 2 to 10000 (default: 100)',
      wholeNumber('--heartbeat', 2, 10_000),
    )
    .option(
      '--election-timeout <ms>',
      'milliseconds without a leader before an election, at least three heartbeats (default: five)',
      wholeNumber('--election-timeout', 6, 600_000),
    )
    .option(
      '--reads <kind>',
      'lease or readIndex; with readIndex no read rests on a clock, and skew may set clocks at will (default: lease)',
      oneOf('--reads', ['lease', 'readIndex']),
    )
    .option(
      '--record <file>',
      'write what happens and why, for raftbox explain',
      pathFlag('--record', 'file'),
    )
    .option('--json', 'for programs: a line of JSON when all is ready, and one for each line of the input')
  addLogFlags(addTraceFlags(addEtcdFlag(addPageFlags(command))))
    .addHelpText('after', examples)
    .action(async (options: SandboxOptions) => {
      process.exitCode = await interruptible((signal) => sandbox(options, signal))
    })
}

async function sandbox(options: SandboxOptions, signal: AbortSignal): Promise<number> {
  const { record, heartbeat, electionTimeout, nodes, dir, renew, reads, log, trace } = options
  checkApart({ '--record': record, '--log': log, '--trace': trace })
  if (record !== undefined) checkWritable('--record', record)
  const clusterOptions = {
    ...given({ nodes, dir, renew, reads }),
    ...given({ heartbeatIntervalMs: heartbeat, electionTimeoutMs: electionTimeout }),
  }
  const etcd = await spoken(options, dir, clusterOptions)
  return withJournal(options, (log) =>
    withPage(options, dir, (page) =>
      withTraces(options, process.env, (follow) =>
        withCluster(etcd.options, signal, (cluster) => {
          log?.follow(cluster)
          follow(cluster)
          return etcd.serve(cluster, (endpoints) => live({ cluster, endpoints, page, log }, options, signal))
        }),
      ),
    ),
  )
}

/** The options that are there. */
function given<Options extends object>(
  options: Options,
): { [Name in keyof Options]?: NonNullable<Options[Name]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Options]?: NonNullable<Options[Name]>
  }
}

/** A cluster, and by what it is seen. */
interface Seen {
  readonly cluster: Cluster
  /** The addresses at which it speaks etcd's API. */
  readonly endpoints: readonly string[]
  readonly page: Page | undefined
  readonly log: CommandLog | undefined
}

/** The lines of a sandbox act on `subject`, until the signal ends them. */
interface Session extends Seen {
  readonly subject: ClusterSubject
  readonly signal: AbortSignal
}

/** The sandbox ends with its input, when a line says so, at the prompt or on the page, or with the signal. */
async function live(
  seen: Seen,
  { json = false, dir, record }: SandboxOptions,
  interrupted: AbortSignal,
): Promise<number> {
  const { cluster, page, log } = seen
  const quit = new AbortController()
  const signal = AbortSignal.any([interrupted, quit.signal])
  const subject = new ClusterSubject(cluster)
  const session = { ...seen, subject, signal }
  // Nobody else wants frames.
  const isObserved = page !== undefined || record !== undefined
  const observer = isObserved ? new Observer(cluster, () => subject.loadClients) : undefined
  const dropped = () => ({ logLines: log?.dropped ?? 0 })
  try {
    if (observer !== undefined)
      page?.server.serve({ cluster, subject, observer, dropped, quit: () => quit.abort() })
    return await recorded(cluster, observer, record, () => (json ? serve(session) : converse(session, dir)))
  } finally {
    observer?.close()
  }
}

async function serve({ cluster, endpoints: etcd, subject, page, signal }: Session): Promise<number> {
  const { heartbeatIntervalMs } = cluster.options
  cluster.events.on('event', (event) => {
    if (event.type === 'failed') process.stderr.write(`raftbox: ${inWords(event, heartbeatIntervalMs)}\n`)
  })
  await leaderKnown(cluster, signal)
  if (signal.aborted) return 0
  const lines = scriptLines(addAbortSignal(signal, process.stdin))
  await page?.ready()
  const { url = null, api = null, token = null } = page ?? {}
  await serveLines({ subject }, lines, { page: url, api, etcd, dir: cluster.dir, token }, signal)
  // A pipe that is still open would keep the process.
  process.stdin.unref?.()
  return 0
}

async function converse(
  { cluster, endpoints, subject, page, log, signal }: Session,
  dir: string | undefined,
): Promise<number> {
  const prompt = new Prompt(paint.bold('raftbox> '), signal, editingOf(subject, dir))
  const following = new Following((text) => prompt.print(text))
  log?.printBy((line) => prompt.print(line))
  const conversation = {
    ...{ showsEvents: log?.isOnTerminal !== true, isEnded: false },
    follow: (look: () => Promise<string>) => following.begin(look),
  }
  if (prompt.isTerminal) tellWarnings((line) => prompt.print(paint.yellow(line)))
  const events = new PromptEvents(cluster.options.heartbeatIntervalMs)
  cluster.events.on('event', (event: ClusterEvent) => {
    const line = conversation.showsEvents ? events.lineOf(event) : undefined
    if (line !== undefined) prompt.print(paint.cyan(`  ${line}`))
  })
  const kept =
    dir === undefined ? 'in a temporary folder, removed at the end' : `kept in ${printable(cluster.dir)}`
  prompt.print(`${counted(cluster.status().length, 'node')}, logs ${kept}. Waiting for a leader.`)
  if (page !== undefined) prompt.print(`The page: ${page.url}`)
  if (endpoints.length > 0) prompt.print(`ETCDCTL_ENDPOINTS=${endpoints.join(',')}`)
  await page?.ready()
  await leaderKnown(cluster, signal)
  if (prompt.isTerminal) prompt.print('Type help for what can be done; Tab completes.')

  let exitCode = 0
  await prompt.forEachLine(async (line) => {
    following.end()
    if (signal.aborted) return false
    try {
      const command = parse(line())
      if (command === undefined) return true
      const { words } = await perform({ subject, conversation }, command)
      if (words !== '') prompt.print(words)
      return !conversation.isEnded
    } catch (error) {
      if (signal.aborted) return false
      // In a script, the worst of its lines decides; at a prompt, it was seen and is forgotten.
      if (!prompt.isTerminal) exitCode = Math.max(exitCode, exitCodeOf(error))
      prompt.print(paint.yellow(`${verdictOf(error)}${lineOf(error)}`))
      return true
    }
  })
  return exitCode
}

/** Without a directory, the lines of a session are forgotten with it. */
function editingOf(subject: ClusterSubject, dir: string | undefined): Editing {
  return {
    history: dir === undefined ? [] : readHistory(dir),
    remember: (history) => (dir === undefined ? undefined : writeHistory(dir, history)),
    completer(line) {
      const [offers, typed] = complete(line, subject.nodeIds)
      return [[...offers], typed]
    },
  }
}

/** A verdict before the message of a call that failed; an unknown outcome is never told as a failure. */
function verdictOf(error: unknown): string {
  return error instanceof RaftError && error.mayHaveHappened === 'no' && error.isRetryable
    ? 'not applied: '
    : ''
}
