/** `raftbox card`: what a three-node cluster does on this machine, durable and in memory, in under a minute. */
import { availableParallelism, cpus } from 'node:os'
import type { Command } from 'commander'
import { type Measurement, measure, phaseLine, usualLoad, warmUpSecondsFor } from '../load/index.js'
import {
  counted,
  decimal,
  decimalNumber,
  interruptible,
  Progress,
  paint,
  printable,
  significant,
  tableRow,
} from '../terminal/index.js'
import { latencyCells } from './bench-words.js'

const { nodes, size } = usualLoad
const clientCounts = [1, 64, 1024]
const durabilities = ['flush', 'none'] as const
/** Less than `raftbox bench` takes, so that all six cases fit into a minute. */
const warmUpSecondsMax = 5

export const columns = [
  '',
  'clients',
  'commits/s',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
  'max ms',
  'flushes',
  'messages',
  'elections',
]
const widths = [9, 7, 9, 7, 7, 8, 7, 8, 8, 9]

const footnotes = `
durable     an acknowledged command is flushed to disk on a majority; in memory: for comparison
p99 ms      milliseconds within which 99 % of the calls were answered
flushes     and messages: per commit, over all nodes; elections: while it was measured`

export function addCard(program: Command): void {
  program
    .command('card')
    .summary('measure the usual six cases, in under a minute')
    .description(
      'Measures a three-node cluster of worker threads with 128-byte commands: durable and in memory,\neach with 1, 64 and 1024 closed-loop clients. This is what npm start does.',
    )
    .option(
      '--seconds <seconds>',
      'length of each measurement, 0.1 to 60',
      decimalNumber('--seconds', 0.1, 60),
      3,
    )
    .action(async ({ seconds }: { seconds: number }) => {
      process.exitCode = await interruptible((signal) => card(seconds, signal))
    })
}

async function card(seconds: number, signal: AbortSignal): Promise<number> {
  const progress = new Progress()
  print(paint.bold(`raftbox: ${nodes} nodes in worker threads of one process, ${size}-byte commands`))
  print(
    paint.dim(
      `${availableParallelism()} cores (${printable(cpus()[0]?.model.trim() ?? 'unknown')}), Node ${process.version}, ${seconds} s each\n`,
    ),
  )
  print(paint.dim(tableRow(columns, widths)))
  let durableCommits = 0
  for (const durability of durabilities) {
    for (const clients of clientCounts) {
      const warmUpSeconds = Math.min(warmUpSecondsMax, warmUpSecondsFor(seconds))
      const options = { ...usualLoad, clients, durability, warmUpSeconds, seconds }
      const { summary: result } = await measure(options, signal, (phase) =>
        progress.show(`${nameOf(durability)}, ${counted(clients, 'client')}: ${phaseLine(phase)}`),
      ).finally(() => progress.clear())
      print(tableRow(cellsOf(result), widths))
      // The last durable row is the one with the most clients.
      if (durability === 'flush') durableCommits = result.commitsPerSecond
    }
  }
  print(paint.dim(footnotes))
  const headline = `${decimal(durableCommits)} durable commits a second`
  print(
    `\n${paint.bold(headline)}, each flushed on a majority of ${nodes} nodes, for ${clientCounts.at(-1)} clients.`,
  )
  return 0
}

export function cellsOf(result: Measurement): string[] {
  return [
    nameOf(result.durability),
    decimal(result.clients),
    paint.bold(decimal(result.commitsPerSecond)),
    ...latencyCells(result),
    perCommit(result.flushesPerCommit),
    perCommit(result.messagesPerCommit),
    decimal(result.elections),
  ]
}

function perCommit(amount: number | null): string {
  return amount === null ? '' : significant(amount)
}

function nameOf(durability: (typeof durabilities)[number]): string {
  return durability === 'flush' ? 'durable' : 'in memory'
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
