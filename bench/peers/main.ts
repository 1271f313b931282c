/** `npm run bench:peers`: raftbox, the floor and other implementations of Raft, in turn on one machine. */
import { Command } from 'commander'
import { BadInput, Failed } from '../../src/cli/failure.js'
import { decimalNumber, wholeNumber } from '../../src/cli/flags.js'
import { interruptible } from '../../src/cli/interrupt.js'
import { Progress } from '../../src/cli/progress.js'
import { runProgram } from '../../src/cli/run-program.js'
import { recordFile, resultsFolder } from '../record-file.js'
import { type PeerName, peerNames } from './measurement.js'
import { prepare } from './prepare.js'
import { comparisonOf } from './print.js'
import { perform } from './programs.js'
import { writeRecord } from './record.js'
import { resultOf, runRounds } from './rounds.js'
import { allRows, choices, opponentOf, type Row, rowsNamed } from './rows.js'

interface Flags {
  readonly rounds?: number
  readonly seconds?: number
  readonly quick?: boolean
  readonly only?: readonly Row[]
  readonly install?: boolean
  readonly out?: string
}

const explanation = `
What is compared (three nodes, closed-loop clients, 10,000 keys, warmed up):
  floor            worker threads, ports and LMDB without Raft: the least that this design costs
  etcd-raft        etcd/raft on its write-ahead log, all nodes in one Go process
  hashicorp-raft   hashicorp/raft on boltdb, all nodes in one Go process
  etcd             three etcd servers on this machine, over their API
  raftbox          rows that need nobody else: five nodes, reads, heartbeats, batches
Whatever is durable has flushed a command on a majority before it is acknowledged.

A ratio is formed of two figures of the same round. No ratio is formed in a round in which a
peer failed or lost its leader. The median of the rounds is held against the target.
Go and the libraries come from Debian; what is missing is named, and the rest runs.

Rows:
  ${allRows.map(({ name }) => name).join('\n  ')}

Examples:
  npm run bench:peers -- --quick                       one round of a second each
  npm run bench:peers -- --only etcd-raft --rounds 5   one peer
  npm run bench:peers -- --only durable-64-floor       one row

Exit codes: 0 done, 1 nothing could be compared, 2 bad input; 130 after Ctrl-C, without a record.
`

const program = new Command('npm run bench:peers --')
  .description('Measures raftbox and its peers in turn, and prints ratios with their spread.')
  .option(
    '--rounds <count>',
    'how often everything runs, 1 to 100 (default: 3, quick 1)',
    wholeNumber('--rounds', 1, 100),
  )
  .option(
    '--seconds <seconds>',
    'length of a measured window, 0.1 to 600 (default: 3, quick 1)',
    decimalNumber('--seconds', 0.1, 600),
  )
  .option('--quick', 'one round of a second each')
  .option('--only <names>', 'only these peers or rows, with commas between them', onlyFlag)
  .option('--install', 'fetch what is missing with apt-get, as root')
  .option('--out <file>', `where the record goes (default: ${resultsFolder}, named by the time)`)
  .addHelpText('after', explanation)
  .action(async (flags: Flags) => {
    process.exitCode = await interruptible((signal) => main(flags, signal))
  })

await runProgram(program, () => 'npm run bench:peers -- --help')

function onlyFlag(text: string): Row[] {
  const names = text.split(',')
  const unknown = names.find((name) => !choices.includes(name))
  if (unknown === undefined) return rowsNamed(names)
  throw new BadInput(`--only: give one or more of ${choices.join(', ')}, not '${unknown}'`)
}

async function main(flags: Flags, signal: AbortSignal): Promise<number> {
  const { quick = false, only = allRows, install = false } = flags
  const { rounds = quick ? 1 : 3, seconds = quick ? 1 : 3 } = flags
  const startedAt = new Date()
  const file = recordFile(flags.out, 'peers-')
  const progress = new Progress(true)
  const tell = (text: string): void => progress.show(text)
  try {
    const wanted = peersOf(only)
    const warn = (line: string): void => {
      progress.clear()
      process.stderr.write(`raftbox: ${line}\n`)
    }
    const { found, peers, built } = await prepare(wanted, { install, signal, tell, warn })
    const rows = only.filter((row) => opponentOf(row) === 'raftbox' || isPeerOf(row, peers))
    if (rows.length === 0) throw new Failed('nothing is left to compare with')
    const context = { seconds, signal, built }
    const done = await runRounds({
      rows,
      rounds,
      signal,
      tell,
      perform: (measurement) => perform(measurement, context),
    })
    progress.clear()
    const results = rows.map((row) => resultOf(row, done))
    const leftOut = wanted.filter((peer) => !peers.includes(peer))
    writeRecord(file, { startedAt, rounds: done, seconds, results, found, leftOut })
    process.stdout.write(`${comparisonOf(results, rounds)}\n\nThe record is in ${file}\n`)
    if (results.every(({ spread }) => spread === undefined)) throw new Failed('nothing could be compared')
    return 0
  } finally {
    progress.clear()
  }
}

function peersOf(rows: readonly Row[]): PeerName[] {
  return peerNames.filter((peer) => rows.some((row) => isPeerOf(row, [peer])))
}

function isPeerOf(row: Row, peers: readonly PeerName[]): boolean {
  return peers.some((peer) => peer === opponentOf(row))
}
