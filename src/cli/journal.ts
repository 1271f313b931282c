/** The log of a command: its flags, its file, and what is told when the file takes no more. */
import { once } from 'node:events'
import { closeSync, constants, createWriteStream, fstatSync, openSync, readSync } from 'node:fs'
import { Socket } from 'node:net'
import { Writable } from 'node:stream'
import type { Command } from 'commander'
import type { Cluster } from '../cluster/index.js'
import { reasonOf } from '../errors/index.js'
import type { Journal, Level } from '../journal/index.js'
import { addFlags, BadInput, counted, oneOf } from '../terminal/index.js'
import { pathFlag } from './flags.js'
import { warn } from './warnings.js'

export interface LogOptions {
  readonly log?: string
  readonly logLevel?: Level
}

const levels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly Level[]

export function addLogFlags(command: Command): Command {
  return addFlags(command, [
    [
      '--log <file>',
      'add a line of JSON to the file for each happening; - is standard error, in words on a terminal',
      pathFlag('--log', 'file'),
    ],
    ['--log-level <level>', 'debug, info, warn or error (default: info)', oneOf('--log-level', levels)],
  ])
}

/** Lines for a person, who may have a prompt on the same terminal. */
class TerminalLines extends Writable {
  print = (line: string): void => void process.stderr.write(`${line}\n`)

  override _write(lines: Buffer, _: string, done: () => void): void {
    this.print(String(lines).trimEnd())
    done()
  }
}

export class CommandLog {
  readonly #journal: Journal
  readonly #terminal: TerminalLines | undefined

  constructor(journal: Journal, terminal: TerminalLines | undefined) {
    this.#journal = journal
    this.#terminal = terminal
  }

  follow(cluster: Cluster): void {
    this.#journal.follow(cluster)
  }

  get dropped(): number {
    return this.#journal.dropped
  }

  /** A person sees each line already. */
  get isOnTerminal(): boolean {
    return this.#terminal !== undefined
  }

  /** Lines for the terminal are printed so from now on: above its prompt. */
  printBy(print: (line: string) => void): void {
    if (this.#terminal !== undefined) this.#terminal.print = print
  }
}

/** A log that is there for as long as the work goes on; `undefined`: none is asked for. */
export async function withJournal<Result>(
  { log, logLevel }: LogOptions,
  work: (log: CommandLog | undefined) => Promise<Result>,
): Promise<Result> {
  if (log === undefined && logLevel !== undefined)
    throw new BadInput('--log-level: there is no log; name its file with --log')
  if (log === undefined) return work(undefined)
  const terminal = log === '-' && process.stderr.isTTY ? new TerminalLines() : undefined
  const stream = terminal ?? (log === '-' ? process.stderr : opened(log))
  let hasFailed = false
  const failed = (error: Error | undefined): void => {
    hasFailed = true
    if (log !== '-') warn(`the log ends here: ${log} takes no more${error ? `: ${reasonOf(error)}` : ''}`)
  }
  // Other commands begin sooner without it.
  const { Journal } = await import('../journal/index.js')
  const journal = new Journal(stream, {
    level: logLevel ?? 'info',
    isPretty: terminal !== undefined,
    failed,
  })
  try {
    return await work(new CommandLog(journal, terminal))
  } finally {
    await journal.end()
    if (hasFailed) warn(`${counted(journal.dropped, 'line')} of the log could not be written`)
    if (log !== '-') await closed(stream)
  }
}

/** Nothing waits for a file that takes nothing: a pipe without a reader is refused, and a full one is not waited for. */
function opened(file: string): Writable {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants
  try {
    const fd = openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK)
    const stats = fstatSync(fd)
    // A write to a full pipe would keep a thread of Node's until somebody reads.
    if (stats.isFIFO()) return new Socket({ fd, readable: false })
    const stream = createWriteStream(file, { fd })
    // The part of a line that a full disk or a killed run left stays a line of its own.
    if (stats.isFile() && endsWithinLine(file, stats.size)) stream.write('\n')
    return stream
  } catch (error) {
    const isUnread = (error as NodeJS.ErrnoException).code === 'ENXIO'
    throw new BadInput(
      `--log: ${file} cannot be written: ${isUnread ? 'it is a pipe that nobody reads' : reasonOf(error)}`,
    )
  }
}

/** False also for a file that may be written and not read: nobody knows its end. */
function endsWithinLine(file: string, size: number): boolean {
  try {
    const fd = openSync(file, 'r')
    const last = Buffer.alloc(1)
    const length = readSync(fd, last, 0, 1, Math.max(0, size - 1))
    closeSync(fd)
    return length > 0 && String(last) !== '\n'
  } catch {
    return false
  }
}

async function closed(stream: Writable): Promise<void> {
  if (stream.closed) return
  const closed = once(stream, 'close')
  stream.destroy()
  await closed
}
