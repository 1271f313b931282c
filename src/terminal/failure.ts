/** How a command ends when it cannot do what was asked: one line on standard error, and an exit code. */
import { type ErrorCode, RaftError } from '../errors/index.js'
import { printable } from './printable.js'

/** The caller's mistake: the line says what is wrong and how to mend it. */
export class BadInput extends Error {
  override readonly name = 'BadInput'
}

/** The answer is no, or it went wrong while it ran. */
export class Failed extends Error {
  override readonly name = 'Failed'
}

/** A node failed by itself: that nobody answers any more only follows from it. */
export function nodeFailure(nodeId: number, why: string, more = ''): BadInput | Failed {
  const line = `node ${nodeId} failed: ${why}`
  return why.startsWith('disk full')
    ? new BadInput(`${line}; make room or choose another --dir${more}`)
    : new Failed(`${line}${more}`)
}

/** Errors of the cluster that name a mistake of the caller. */
const inputErrors: readonly ErrorCode[] = [
  'INVALID_OPTION',
  'INVALID_COMMAND',
  'INVALID_FAULT',
  'INVALID_CHANGE',
  'DIRECTORY_IN_USE',
  'DIRECTORY_INCOMPATIBLE',
  'EXPORT_UNUSABLE',
  'DIRECTORY_UNUSABLE',
  'DISK_LOST',
]

export function exitCodeOf(error: unknown): 1 | 2 {
  const isInput =
    error instanceof BadInput || (error instanceof RaftError && inputErrors.includes(error.code))
  return isInput ? 2 : 1
}

/** One line that a terminal shows as it is: messages carry names and content of files. */
export function lineOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error))
}

function oneLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim())
  return printable(lines.filter((line) => line !== '').join(' '))
}

/** `RAFTBOX_DEBUG=1` adds the stack, for those who mend raftbox itself. */
export function reportFailure(error: unknown): void {
  const stack = process.env['RAFTBOX_DEBUG'] && error instanceof Error ? (error.stack ?? '').split('\n') : []
  process.stderr.write(`${[`raftbox: ${lineOf(error)}`, ...stack.map(printable)].join('\n')}\n`)
}
