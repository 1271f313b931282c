/** Answers to lines, as programs are given them: at the prompt for programs and over HTTP alike. */
import { RaftError } from '../errors/index.js'
import { BadInput, Failed, lineOf } from '../terminal/index.js'
import { parse, perform } from './registry.js'
import type { Acting, Answer } from './verb.js'

export interface Refusal {
  readonly ok: false
  /** The code of a `RaftError`, or `BAD_INPUT`, `FAILED` or `INTERNAL`. */
  readonly code: string
  /** A line that says what is wrong, and how to mend it. */
  readonly message: string
}

/** Does what a line says; an empty line says nothing. Throws what the verb threw. */
export async function answerTo(acting: Acting, line: string): Promise<Answer> {
  const command = parse(line)
  return command === undefined ? { data: {}, words: '' } : perform(acting, command)
}

export function refusalOf(error: unknown): Refusal {
  return { ok: false, code: codeOf(error), message: lineOf(error) }
}

function codeOf(error: unknown): string {
  if (error instanceof RaftError) return error.code
  if (error instanceof BadInput) return 'BAD_INPUT'
  return error instanceof Failed ? 'FAILED' : 'INTERNAL'
}
