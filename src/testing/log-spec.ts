/** Logs in short: `[1, 1, 2]` is three entries by their terms. Used to set up nodes and to read them. */
import {
  type EntryId,
  type EntryRun,
  entryKinds,
  type Frame,
  forEachCommand,
  type LogRun,
  lastIndexOf,
  logOrigin,
  packCommands,
  stampRun,
  type Term,
} from '../raft/index.js'

/** One run of several entries. A command left out is named after its place, as `commandAt` does. */
export interface RunSpec {
  readonly term: Term
  readonly commands: readonly string[]
}

/** A log, entry by entry or run by run: a bare term is a run of one entry. */
export type LogSpec = readonly (Term | RunSpec)[]

/** The text of the command that a bare term stands for: the same place holds the same command on every node. */
export function commandAt({ index, term }: EntryId): string {
  return `${index}@${term}`
}

/** A frame of text commands, as a client would pack it. */
export function frameOf(...commands: readonly string[]): Frame {
  const encoder = new TextEncoder()
  return packCommands(commands.map((command) => encoder.encode(command)))
}

/** A run of text commands with a place in the log. */
export function runOf(first: EntryId, ...commands: readonly string[]): EntryRun {
  return stampRun(frameOf(...commands), first.index, first.term, entryKinds.commands)
}

/** The runs that a log in short stands for, after `base`. */
export function runsOf(spec: LogSpec, base: EntryId = logOrigin): EntryRun[] {
  const runs: EntryRun[] = []
  let index = base.index + 1
  for (const item of spec) {
    const { term, commands } =
      typeof item === 'number' ? { term: item, commands: [commandAt({ index, term: item })] } : item
    runs.push(runOf({ index, term }, ...commands))
    index += commands.length
  }
  return runs
}

/** The commands of a frame or a run as text; the entry that opens a term holds none and reads as an empty string. */
export function commandsOf(run: Frame): string[] {
  const decoder = new TextDecoder()
  const commands: string[] = []
  forEachCommand(run, (start, end) => commands.push(decoder.decode(run.bytes.subarray(start, end))))
  return commands
}

/** The term of each entry, in order. */
export function termsOf(runs: readonly LogRun[]): Term[] {
  return runs.flatMap((run) => new Array<Term>(run.count).fill(run.term))
}

/** What an entry is, for comparison: its place and its command. */
export interface LoggedEntry extends EntryId {
  readonly command: string
}

/** All entries of some runs, in order. */
export function entriesOf(runs: readonly EntryRun[]): LoggedEntry[] {
  return runs.flatMap((run) =>
    commandsOf(run).map((command, position) => ({ index: run.index + position, term: run.term, command })),
  )
}

/** The last entry of some runs, or `base` when there are none. */
export function lastOf(runs: readonly EntryRun[], base: EntryId): EntryId {
  const run = runs.at(-1)
  return run === undefined ? base : { index: lastIndexOf(run), term: run.term }
}
