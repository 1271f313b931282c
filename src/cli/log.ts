/** `raftbox log`: the logs in a directory that no cluster has open. */
import type { Command } from 'commander'
import { type LogFound, readLogs } from '../cluster/index.js'
import { logInWords, noLogInWords } from '../logbook/index.js'
import { lineOf, ungrouped, wholeNumber } from '../terminal/index.js'

interface LogOptions {
  readonly node?: number
  readonly bytes?: boolean
  readonly json?: boolean
}

const explanation = `
Without FROM, the last 20 entries of each node are shown; with FROM up to 1000, to TO or to the end.
A log is read as a whole, so that damage is found wherever it is, and nothing is changed. An entry up
to the snapshot is committed; of a later one the disk of one node does not tell.

A directory that a cluster has open is refused: there the verb log of its prompt reads the same.
The exit code is 1 when a log is damaged.

Examples:
  raftbox log ./my-cluster
  raftbox log ./my-cluster 100 120 --node 2
  raftbox log ./my-cluster --json
`

export function addLog(program: Command): void {
  const index = (name: string) => {
    const number = wholeNumber(name, 1, Number.MAX_SAFE_INTEGER)
    return (text: string) => number(ungrouped(text))
  }
  program
    .command('log')
    .summary('read the logs in a directory at rest')
    .description("Shows each node's term, vote, snapshot and entries, with each command in words.")
    .argument('<directory>', 'the directory of a cluster, as sandbox --dir makes it')
    .argument('[from]', 'the first entry', index('FROM'))
    .argument('[to]', 'the last entry', index('TO'))
    .option('--node <id>', 'this node alone', wholeNumber('--node', 1, Number.MAX_SAFE_INTEGER))
    .option('--bytes', 'commands as bytes (default: where the state machine is your own)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', explanation)
    .action((dir: string, from: number | undefined, to: number | undefined, options: LogOptions) => {
      process.exitCode = showLogs(dir, from, to, options)
    })
}

function showLogs(
  dir: string,
  from: number | undefined,
  to: number | undefined,
  { node, bytes = false, json = false }: LogOptions,
): number {
  const found = readLogs(dir, { nodeId: node, from, to, isKeyValue: bytes ? false : undefined })
  if (json) {
    const nodes = found.map(({ nodeId, log, error }) => ({ nodeId, ...log, error: error?.message ?? null }))
    console.log(JSON.stringify({ dir, nodes }))
  } else console.log(found.map(wordsOf).join('\n\n'))
  return found.some(({ error }) => error !== undefined) ? 1 : 0
}

function wordsOf({ nodeId, log, error }: LogFound): string {
  if (error !== undefined) return lineOf(error)
  return log === undefined ? noLogInWords(nodeId) : logInWords(log)
}
