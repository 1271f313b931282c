/** `raftbox bench`: one measurement, as one JSON line or for people. */
import type { Command } from 'commander'
import { callBytesMax, callWeight, pendingBytesMax } from '../cluster/index.js'
import {
  arrivalNames,
  type Measurement,
  type MeasureOptions,
  measure,
  type Phase,
  phaseLine,
  sizeMax,
  sizeMin,
  usualLoad,
  warmUpSecondsFor,
  workloadNames,
} from '../load/index.js'
import {
  addFlags,
  BadInput,
  counted,
  decimal,
  decimalNumber,
  Failed,
  type FlagRow,
  interruptible,
  oneOf,
  Progress,
  paint,
  significant,
  wholeNumber,
} from '../terminal/index.js'
import { benchEtcd, checkEtcdFlags, serversFlag } from './bench-etcd.js'
import { callersOf, latencyTable, lossesOf, rounded, type Told } from './bench-words.js'
import { dirFlag, nodesFlag } from './flags.js'
import { type TraceFlags, traceFlags, withTraces } from './traces.js'

interface BenchOptions extends Omit<MeasureOptions, 'warmUpSeconds' | 'follow'>, TraceFlags {
  readonly json?: boolean
  readonly progress?: boolean
  /** Milliseconds. */
  readonly heartbeat?: number
  /** Hosts with their ports. */
  readonly etcd?: readonly string[]
}

const explanation = `
What is measured:
  Closed-loop clients in the main thread: each makes its next call when the last one is
  answered. Without --workload, a call puts one of 10,000 keys, drawn evenly; --size is the
  whole command as it is logged: 3 bytes of head, 8 of key, the rest value. With --workload
  (YCSB's core workloads), --size is the value; the records are put first, keys follow YCSB's
  distributions, reads are linearizable:
    a  50 % reads, 50 % updates    c  reads only     f  50 % reads, 50 % read-modify-writes
    b  95 % reads, 5 % updates     d  95 % reads of the latest, 5 % inserts
  Eight seconds of warm-up (or four times --seconds, if less) are not counted.
  With --rate, calls leave on a schedule instead (open loop), and a call's latency counts from
  the moment at which it was due. --clients bounds the calls on their way: at that bound, calls
  that are due wait, and their waiting counts. So does the millisecond of this thread's timer.
  What is due and not answered at the end is in no latency: it is told as unanswered.

What is printed (--json: the last line of standard output is one JSON object):
  commitsPerSecond      commands applied on the leader and acknowledged to a client, a second
  p50ms p99ms p999ms    milliseconds within which 50, 99 and 99.9 % of the calls were answered
  elections             elections begun in the measured window, on any node
  heartbeatLateP999ms   99.9 % of the heartbeats came at most so many milliseconds late
  heartbeatsMissed      intervals that passed without one, over all followers
  flushesPerCommit, messagesPerCommit, bytesFlushed   over all nodes
  firstHundredP50ms     half of the clients' first hundred calls took no longer
  clientThreadBusy      0 to 1: how long the clients' thread ran, or waited for a core
A figure of nothing is null: the lateness where no heartbeat came, and what is told per commit without one.
With --etcd, what only the nodes know is null, and elections counts the terms that began.
--size is the same key and value as without it. With --batch, a call is a transaction.

Examples:
  raftbox bench                                    three nodes, durable, 1024 clients, 5 s
  raftbox bench --clients 1 --seconds 3            what one client sees
  raftbox bench --durability none --json           without a disk, for comparison
  raftbox bench --workload b --records 100000      mostly reads, from 100,000 records
  raftbox bench --rate 50000 --clients 8192        what 50,000 calls a second wait
  raftbox bench --etcd http://127.0.0.1:2379       servers of etcd's API, whoever runs them
`

const flags: readonly FlagRow[] = [
  ['--nodes <count>', 'voting nodes, 1 to 25', nodesFlag, usualLoad.nodes],
  [
    '--clients <count>',
    'closed-loop clients, 1 to 100000; with --rate, the most calls on their way',
    wholeNumber('--clients', 1, 100_000),
    usualLoad.clients,
  ],
  [
    '--size <bytes>',
    `bytes of a command, ${sizeMin} to ${sizeMax}`,
    wholeNumber('--size', sizeMin, sizeMax),
    usualLoad.size,
  ],
  [
    '--seconds <seconds>',
    'length of the measured window, 0.1 to 3600',
    decimalNumber('--seconds', 0.1, 3600),
    5,
  ],
  [
    '--durability <kind>',
    'flush: acknowledged is flushed on a majority; none: in memory, for comparison',
    oneOf('--durability', ['flush', 'none']),
    usualLoad.durability,
  ],
  [
    '--batch <count>',
    'commands that each call carries, 1 to 10000',
    wholeNumber('--batch', 1, 10_000),
    usualLoad.batch,
  ],
  [
    '--threads <on|off>',
    'a worker thread a node, or all in the main thread',
    oneOf('--threads', ['on', 'off']),
    usualLoad.threads,
  ],
  ['--workload <name>', 'YCSB workload a, b, c, d or f instead of puts', oneOf('--workload', workloadNames)],
  [
    '--reads <kind>',
    'how a leader knows that it still leads: lease, by its clock; readIndex, by asking a majority',
    oneOf('--reads', ['lease', 'readIndex']),
    usualLoad.reads,
  ],
  [
    '--reads-from <node>',
    'the nodes that serve the reads of a workload: leader, or any, in turn',
    oneOf('--reads-from', ['leader', 'any']),
    usualLoad.readsFrom,
  ],
  [
    '--records <count>',
    'records that a workload begins with',
    wholeNumber('--records', 1, 10_000_000),
    usualLoad.records,
  ],
  [
    '--rate <calls>',
    'open loop: so many calls a second, 1 to 10000000, each due at its time',
    wholeNumber('--rate', 1, 10_000_000),
  ],
  [
    '--arrivals <kind>',
    'with --rate, poisson: as independent callers come; even: at equal distances (default: poisson)',
    oneOf('--arrivals', arrivalNames),
  ],
  [
    '--heartbeat <ms>',
    'milliseconds between heartbeats, 2 to 10000 (default: 100)',
    wholeNumber('--heartbeat', 2, 10_000),
  ],
  ['--etcd <urls>', "load servers of etcd's v3 API that run already, with commas between them", serversFlag],
  ['--dir <directory>', 'keep the logs there (default: a temporary folder)', dirFlag('--dir')],
  ...traceFlags,
  ['--progress', 'tell once a second how it goes, also without a terminal'],
  ['--json', 'print one JSON object'],
]

export function addBench(program: Command): void {
  const command = program
    .command('bench')
    .summary('measure commits per second')
    .description('Starts a cluster, loads it, and prints what it did per second and how long calls took.')
  addFlags(command, flags)
    .addHelpText('after', explanation)
    .action(async (options: BenchOptions) => {
      process.exitCode = await interruptible((signal) => bench(options, command, signal))
    })
}

async function bench(options: BenchOptions, command: Command, signal: AbortSignal): Promise<number> {
  const { etcd: servers, json = false } = options
  if (servers !== undefined) checkEtcdFlags(command, options)
  checkTogether(command, options)
  const progress = new Progress(options.progress)
  const warmUpSeconds = warmUpSecondsFor(options.seconds)
  if (servers === undefined) checkFits(options)
  const tell = (phase: Phase): void => progress.show(phaseLine(phase))
  const work =
    servers === undefined
      ? benchCluster({ ...options, warmUpSeconds }, signal, tell)
      : benchEtcd({ ...options, servers, warmUpSeconds }, signal, tell)
  const { figures, words } = await work.finally(() => progress.clear())
  process.stdout.write(`${json ? JSON.stringify(rounded(figures)) : words}\n`)
  if (figures.callsPerSecond === 0) throw new Failed('no call was answered within the measured window')
  return 0
}

async function benchCluster(
  options: BenchOptions & Pick<MeasureOptions, 'warmUpSeconds'>,
  signal: AbortSignal,
  tell: (phase: Phase) => void,
): Promise<Told> {
  const { heartbeat: heartbeatIntervalMs } = options
  const cluster = heartbeatIntervalMs === undefined ? {} : { heartbeatIntervalMs }
  // Only a flag asks for traces here: a measurement is not to depend on the environment.
  const { summary } = await withTraces(options, {}, (follow) =>
    measure({ ...options, cluster, follow }, signal, tell),
  )
  return { figures: summary, words: forPeople(summary) }
}

/** What each flag allows by itself, but not all of them together. */
function checkTogether(command: Command, { batch, workload, rate, arrivals }: BenchOptions): void {
  if (arrivals !== undefined && rate === undefined) {
    throw new BadInput('--arrivals: say how many calls a second with --rate, or leave it out')
  }
  if (workload !== undefined && batch !== 1) {
    throw new BadInput('--batch: leave it out with --workload, whose calls carry one operation each')
  }
  if (workload !== undefined) return
  for (const [flag, name] of [
    ['--records', 'records'],
    ['--reads-from', 'readsFrom'],
  ] as const) {
    if (command.getOptionValueSource(name) === 'cli')
      throw new BadInput(
        `${flag}: say with --workload what is called, or leave it out: plain puts read nothing`,
      )
  }
}

/** The rest is for the frames that the calls travel in: each takes 1 KiB, and holds 128 KiB of calls, or one that is larger. */
const waitingBytesMax = pendingBytesMax - pendingBytesMax / 128

/** Options for a cluster of this process. */
function checkFits({ clients, size, batch }: BenchOptions): void {
  if (batch * (size + 4) > callBytesMax) {
    throw new BadInput(
      `--batch: ${batch} commands of ${size} bytes are more than the ${callBytesMax} bytes of a call; give fewer or smaller ones`,
    )
  }
  const callBytes = batch * (size + 4) + callWeight
  if (clients * callBytes > waitingBytesMax) {
    throw new BadInput(
      `--clients: ${clients} calls of ${callBytes} bytes are more than the ${waitingBytesMax} bytes that may wait; give fewer or smaller ones`,
    )
  }
}

export function forPeople(result: Measurement): string {
  const { durability, nodes, size, batch, threads, reads, readsFrom, workload } = result
  const what =
    workload === null
      ? `${batch > 1 ? `${batch} × ` : ''}${size}-byte commands`
      : `YCSB workload ${workload}, reads by ${reads}${readsFrom === 'any' ? ' from any node' : ''}`
  const where = threads === 'on' ? 'worker threads' : 'the main thread'
  const lines = [
    `${paint.bold(`${decimal(result.commitsPerSecond)} commits/s`)}, ${durability === 'flush' ? 'flushed on a majority' : 'in memory, not durable'}`,
    `${counted(nodes, 'node')} in ${where}, ${callersOf(result)}, ${what}, ${decimal(result.seconds, 1)} s`,
    '',
    latencyTable(result),
    '',
    `elections ${result.elections}, ${latenessOf(result)}`,
    `${perCommitOf(result)}${decimal(result.bytesFlushed)} bytes flushed`,
    `${decimal(result.coresBusy, 1)} of ${result.cores} cores busy, the clients' thread ${decimal(result.clientThreadBusy * 100)} % of the time; Node ${result.node}, ${result.platform}`,
  ]
  return lines.concat(lossesOf(result)).join('\n')
}

function latenessOf({ heartbeatLateP999ms: lateMs }: Measurement): string {
  if (lateMs === null) return 'no heartbeats came'
  return `heartbeats late by at most ${significant(lateMs)} ms (p99.9)`
}

/** Empty without a commit. */
function perCommitOf({ flushesPerCommit: flushes, messagesPerCommit: messages }: Measurement): string {
  if (flushes === null || messages === null) return ''
  return `per commit ${significant(flushes)} flushes and ${significant(messages)} messages over all nodes; `
}
