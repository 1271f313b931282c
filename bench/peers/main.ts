/** `npm run bench:peers`: raftbox, the floor and other implementations of Raft, in turn on one machine. */
import { Failed, someOf } from '../../src/terminal/index.js'
import { keptBusy, roundsFlag, runBenchProgram, secondsFlag } from '../suite/index.js'
import { type ProgramName, peerNames } from './measurement.js'
import { prepare } from './prepare.js'
import { comparisonOf } from './print.js'
import { perform } from './programs.js'
import { recordOf } from './record.js'
import { resultOf, runRounds } from './rounds.js'
import { allRows, choices, opponentOf, rowsNamed, whileBusy } from './rows.js'

interface Flags {
  readonly rounds?: number
  readonly seconds?: number
  readonly quick?: boolean
  readonly only?: readonly string[]
  readonly busy?: boolean
  readonly install?: boolean
}

const explanation = `
What is compared (three nodes, closed-loop clients, 10,000 keys, warmed up):
  floor            worker threads, ports and LMDB without Raft: the least that this design costs
  etcd-raft        etcd/raft on its write-ahead log, all nodes in one Go process
  hashicorp-raft   hashicorp/raft on boltdb, all nodes in one Go process
  etcd             three etcd servers on this machine, over their API; the rows that begin
                   with api call raftbox over the same API, by the same Go program
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
  npm run bench:peers -- --busy --only etcd-raft       on a machine that does other things too

Exit codes: 0 done, 1 nothing could be compared, 2 bad input; 130 after Ctrl-C, without a record.
`

await runBenchProgram<Flags>({
  name: 'npm run bench:peers --',
  description: 'Measures raftbox and its peers in turn, and prints ratios with their spread.',
  flags: [
    roundsFlag('how often everything runs'),
    secondsFlag('a measured window', 3, 1),
    ['--quick', 'one round of a second each'],
    ['--only <names>', 'only these peers or rows, with commas between them', someOf('--only', choices)],
    ['--busy', 'beside a program a core that takes all it is left, at the lowest priority'],
    ['--install', 'fetch what is missing with apt-get, as root'],
  ],
  explanation,
  prefix: 'peers-',
  plan:
    ({
      quick = false,
      only,
      busy = false,
      install = false,
      rounds = quick ? 1 : 3,
      seconds = quick ? 1 : 3,
    }) =>
    async ({ signal, tell, warn }) => {
      const startedAt = new Date()
      const wantedRows = only === undefined ? allRows : rowsNamed(only)
      const opponents = new Set(wantedRows.map(opponentOf))
      const wanted = peerNames.filter((peer) => opponents.has(peer))
      const { found, peers, built } = await prepare(wanted, { install, signal, tell, warn })
      const present = new Set<ProgramName>(['raftbox', ...peers])
      const asked = wantedRows.filter((row) => present.has(opponentOf(row)))
      const rows = busy ? asked.map(whileBusy) : asked
      if (rows.length === 0) throw new Failed('nothing is left to compare with')
      const run = () =>
        runRounds({
          rows,
          rounds,
          signal,
          tell,
          perform: (measurement) => perform(measurement, { seconds, signal, built }),
        })
      const done = await (busy ? keptBusy(run) : run())
      const results = rows.map((row) => resultOf(row, done))
      const leftOut = wanted.filter((peer) => !peers.includes(peer))
      const isEmpty = results.every(({ spread }) => spread === undefined)
      return {
        record: recordOf({ startedAt, rounds: done, seconds, busy, results, found, leftOut }),
        summary: comparisonOf(results, rounds),
        failure: isEmpty ? 'nothing could be compared' : undefined,
      }
    },
})
