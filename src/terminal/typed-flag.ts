/** Refused options of the handle, told by the flags that were typed for them. */
import type { Command } from 'commander'
import { RaftError } from '../errors/index.js'

/** Flags that are named otherwise than the option that they set. */
const flags: Readonly<Record<string, string>> = {
  electionTimeoutMs: '--election-timeout',
  heartbeatIntervalMs: '--heartbeat',
  host: '--threads',
  port: '--etcd',
}

/** The error with the flag in place of its option, where this command was given one. */
export function byTypedFlag(error: unknown, command: Command | undefined): unknown {
  if (!(error instanceof RaftError && error.code === 'INVALID_OPTION')) return error
  const { option } = error.details
  const flag = flags[`${option}`] ?? `--${option}`
  const typed = command?.options.find(({ long }) => long === flag)
  if (typed === undefined || command?.getOptionValueSource(typed.attributeName()) !== 'cli') return error
  const told = new RaftError(error.code, { ...error.details, option: flag }, error.cause)
  if (error.stack !== undefined) told.stack = error.stack
  return told
}
