/** `raftbox sandbox`: a cluster and a prompt, to break it by hand and to see why it does what it does. */
import type { Command } from 'commander'
import type { Cluster, ClusterEvent } from '../cluster/index.js'
import { leaderKnown, withCluster } from '../load/index.js'
import { exitCodeOf, interruptible, lineOf, paint, printable } from '../terminal/index.js'
import { dirFlag, nodeIdsFlag, nodesFlag, warnOfTwo } from './flags.js'
import { inWords } from './happenings.js'
import { Prompt } from './prompt.js'
import { runLine, type Session, verdictOf } from './sandbox-commands.js'

interface SandboxOptions {
  readonly nodes?: number
  readonly dir?: string
  readonly renew?: readonly number[]
}

const examples = `
Type help at the prompt for all commands. Lines may also come from a pipe or a file; the exit
code is then 2 if a line was not understood, and 1 if one failed.

Examples:
  raftbox sandbox --nodes 5
  raftbox sandbox --dir ./my-cluster              what was put is there again the next time
  printf 'put a 1\\nkill leader\\nget a\\nstatus\\n' | raftbox sandbox
`

export function addSandbox(program: Command): void {
  program
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
    .addHelpText('after', examples)
    .action(async (options: SandboxOptions) => {
      process.exitCode = await interruptible((signal) => sandbox(options, signal))
    })
}

async function sandbox(options: SandboxOptions, signal: AbortSignal): Promise<number> {
  warnOfTwo(options.nodes)
  return withCluster(options, signal, (cluster) => converse(cluster, options.dir, signal))
}

async function converse(cluster: Cluster, dir: string | undefined, signal: AbortSignal): Promise<number> {
  const prompt = new Prompt(paint.bold('raftbox> '), signal)
  const session: Session = { cluster, print: (text) => prompt.print(text), showsEvents: true }
  // A tick of a cluster is a heartbeat.
  const { heartbeatIntervalMs } = cluster.options
  cluster.events.on('event', (event: ClusterEvent) => {
    // Who kills or restarts a node is told by the command itself.
    const isNews = event.type !== 'started' && event.type !== 'killed'
    if (session.showsEvents && isNews) session.print(paint.cyan(`  ${inWords(event, heartbeatIntervalMs)}`))
  })
  const kept =
    dir === undefined ? 'in a temporary folder, removed at the end' : `kept in ${printable(cluster.dir)}`
  session.print(`${cluster.status().length} nodes, logs ${kept}. Waiting for a leader.`)
  await leaderKnown(cluster, signal)
  if (prompt.isTerminal) session.print('Type help for what can be done.')

  let exitCode = 0
  await prompt.forEachLine(async (line) => {
    if (signal.aborted) return false
    try {
      return await runLine(session, line())
    } catch (error) {
      if (signal.aborted) return false
      // In a script, the worst of its lines decides; at a prompt, it was seen and is forgotten.
      if (!prompt.isTerminal) exitCode = Math.max(exitCode, exitCodeOf(error))
      session.print(paint.yellow(`${verdictOf(error)}${lineOf(error)}`))
      return true
    }
  })
  return exitCode
}
