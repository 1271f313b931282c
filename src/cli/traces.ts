/** Traces of a command's cluster: their flags, and what was made of them. */
import type { Command } from 'commander'
import type { Cluster } from '../cluster/index.js'
import {
  addFlags,
  BadInput,
  checkWritable,
  counted,
  decimal,
  type FlagRow,
  lineOf,
} from '../terminal/index.js'
import type { Traces } from '../traces/index.js'
import { warn } from './warnings.js'

export interface TraceFlags {
  readonly trace?: string
  /** 0 to 1. */
  readonly traceShare?: number
}

export const traceFlags: readonly FlagRow[] = [
  [
    '--trace <place>',
    'send traces of commands, elections and snapshots to a collector of OpenTelemetry, as http://127.0.0.1:4318, or write them to a file as OTLP JSON',
    placeFlag,
  ],
  ['--trace-share <percent>', 'the share of the commands that is traced, as 1% (default: 100%)', shareFlag],
]

export function addTraceFlags(command: Command): Command {
  return addFlags(command, traceFlags)
}

function placeFlag(text: string): string {
  if (text !== '') return text
  throw new BadInput('--trace: give the URL of a collector or the path of a file, not an empty text')
}

function shareFlag(text: string): number {
  const share = /^\d+(\.\d+)?%$/.test(text) ? Number.parseFloat(text) / 100 : Number.NaN
  if (share <= 1) return share
  throw new BadInput(`--trace-share: give a percentage from 0% to 100%, as in 1%, not '${text}'`)
}

/**
 * Traces are made for as long as the work goes on, of the cluster that it hands over. Told in the end: how many, and
 * what was dropped. With `env`, the variables of OpenTelemetry may ask for traces too.
 */
export async function withTraces<Result>(
  flags: TraceFlags,
  env: NodeJS.ProcessEnv,
  work: (follow: (cluster: Cluster) => void) => Promise<Result>,
): Promise<Result> {
  const traces = await openTraces(flags, env)
  if (traces === undefined) return work(() => undefined)
  try {
    return await work((cluster) => traces.follow(cluster))
  } finally {
    const { calls, callsDropped, spansSent, spansDropped } = await traces.close()
    process.stderr.write(
      `raftbox: traces of ${counted(calls, 'command')}: ${counted(spansSent, 'span')} sent, ${decimal(spansDropped)} dropped; ${counted(callsDropped, 'command')} more without a trace\n`,
    )
  }
}

async function openTraces(
  { trace: to, traceShare: share }: TraceFlags,
  env: NodeJS.ProcessEnv,
): Promise<Traces | undefined> {
  const { areTracesAskedFor, Traces } = await import('../traces/index.js')
  const isOfEnv = to === undefined && areTracesAskedFor(env)
  if (to === undefined && !isOfEnv) {
    if (share !== undefined) throw new BadInput('--trace-share: say with --trace where the traces go')
    return undefined
  }
  // The check creates the file, and a place with a colon may be a collector.
  if (to !== undefined && !to.includes(':')) checkWritable('--trace', to)
  try {
    return await Traces.open({
      ...(to === undefined ? {} : { to }),
      ...(share === undefined ? {} : { share }),
    })
  } catch (error) {
    if (!isOfEnv) throw new BadInput(`--trace: ${lineOf(error)}`)
    // The environment speaks to all programs, and not to this one alone.
    warn(`there are no traces: ${lineOf(error)}`)
    return undefined
  }
}
