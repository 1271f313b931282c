/** `raftbox recover`: a cluster that lost a majority of its disks for good, made anew from one that is left. */
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import {
  goOnWithRecovery,
  type HeldMore,
  type Recovered,
  Recovery,
  type RecoveryPlan,
} from '../cluster/index.js'
import {
  BadInput,
  counted,
  decimal,
  interruptible,
  lineOf,
  printable,
  wholeNumber,
} from '../terminal/index.js'
import { figuresOf, shortHash } from './state-words.js'

interface RecoverFlags {
  readonly from: number
  readonly yes?: boolean
  readonly machine?: string
  readonly json?: boolean
}

/** The word that a person types at a terminal to go on. */
const consent = 'recover'

const explanation = `
For a cluster whose disks can elect no leader any more. As long as the disks of a majority are there, nothing
needs to be given up: start the cluster, and let the other nodes begin anew (raftbox sandbox --renew).

The new cluster begins with every entry on the disk of the survivor, committed or not. Entries that the lost disks
alone held are gone, also if they were acknowledged. Without --yes the command tells what may be lost, asks for a
word at a terminal, and otherwise ends with exit code 2; nothing has changed then.

All files of the former cluster are put aside, into a folder of the directory. The new nodes have new disks and
begin in a later term, so that no disk, vote or message of the former cluster counts among them. A recovery that was
cut off is finished by the next one.

Examples:
  raftbox log ./my-cluster                        which disk holds most
  raftbox recover ./my-cluster --from 2           what would be taken over, and what may be lost
  raftbox recover ./my-cluster --from 2 --yes && raftbox sandbox --dir ./my-cluster
`

export function addRecover(program: Command): void {
  program
    .command('recover')
    .summary('make a cluster anew from one disk, after a majority was lost for good')
    .description('Makes a cluster anew from the disk of one survivor. Acknowledged writes may be lost.')
    .argument('<directory>', 'the directory of a cluster, as sandbox --dir makes it')
    .requiredOption(
      '--from <id>',
      'the node whose disk is taken over',
      wholeNumber('--from', 1, Number.MAX_SAFE_INTEGER),
    )
    .option('--yes', 'do it')
    .option('--machine <module>', 'the state machine of the cluster (default: that of raftbox)')
    .option('--json', 'print one JSON object, and ask nothing')
    .addHelpText('after', explanation)
    .action(async (dir: string, flags: RecoverFlags) => {
      process.exitCode = await interruptible((signal) => recover(dir, flags, signal))
    })
}

async function recover(
  dir: string,
  { from, yes = false, machine, json = false }: RecoverFlags,
  signal: AbortSignal,
): Promise<number> {
  const aside = goOnWithRecovery(dir)
  if (aside !== undefined) {
    console.log(
      json
        ? JSON.stringify({ done: true, dir, aside })
        : `${dir}: the recovery is finished; ${whereIs(aside)}`,
    )
    return 0
  }
  const recovery = new Recovery(dir, { from, machine })
  try {
    if (!json) console.log(planInWords(recovery.plan))
    else if (!yes) console.log(JSON.stringify({ done: false, ...recovery.plan }))
    if (!yes) await askForConsent(json, signal)
    const recovered = await recovery.carryOut(signal)
    console.log(json ? JSON.stringify({ done: true, ...recovered }) : recoveredInWords(recovered))
    return 0
  } finally {
    recovery.release()
  }
}

/** Throws when nobody agrees. */
async function askForConsent(json: boolean, signal: AbortSignal): Promise<void> {
  if (json || process.stdin.isTTY !== true) throw new BadInput('nothing was changed: give --yes to do it')
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // In a terminal, the line editor gets Ctrl-C instead of the process.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const answer = await terminal
      .question(`Type ${consent} to do it: `, { signal })
      .catch((error: unknown) => {
        if (signal.aborted) throw error
        // Ctrl-D ends the input.
        return ''
      })
    if (answer.trim() !== consent) throw new BadInput(`nothing was changed: '${answer}' is not '${consent}'`)
  } finally {
    terminal.close()
  }
}

function planInWords({ dir, from, committedIndex, last, heldMore, lost, nodes }: RecoveryPlan): string {
  const proven = committedIndex === 0 ? 'none' : `those up to ${decimal(committedIndex)}`
  const unsure =
    committedIndex + 1 === last.index ? 'The last one' : `Those from ${decimal(committedIndex + 1)} on`
  const remembered = heldMore.length === 0 ? '; as far as the directory remembers, no node held more' : ''
  const lines = [
    ...lost.map(({ nodeId, why }) => `node ${nodeId} is lost: ${why}`),
    `node ${from} holds entries up to ${decimal(last.index)}, of term ${last.term}, and proves ${proven} to be committed.`,
    ...(committedIndex < last.index
      ? [`${unsure} may hold writes that were never acknowledged: they are kept too.`]
      : []),
    ...heldMore.map(moreInWords),
    `Writes behind entry ${decimal(last.index)} are lost, also if they were acknowledged${remembered}.`,
    `${dir} becomes a new cluster of ${counted(nodes, 'node')} with all that node ${from} holds.`,
  ]
  return lines.map(lineOf).join('\n')
}

function moreInWords({ nodeId, last, isLost }: HeldMore): string {
  const held = `up to ${decimal(last.index)}${last.term === 0 ? '' : `, of term ${last.term}`}`
  if (isLost)
    return `node ${nodeId} held entries ${held}, as the directory remembers: what it held further is lost.`
  return `node ${nodeId} holds entries ${held}: with --from ${nodeId}, they are kept.`
}

function recoveredInWords({ dir, members, last, hash, summary, aside }: Recovered): string {
  const state = [`entry ${decimal(last.index)}`, ...figuresOf(summary), `hash ${shortHash(hash)}`].join(', ')
  return printable(`${dir}: a new cluster of nodes ${members.join(', ')} as of ${state}; ${whereIs(aside)}`)
}

function whereIs(aside: string): string {
  return `all files of the former one are in ${aside}`
}
