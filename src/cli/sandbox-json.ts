/** `raftbox sandbox --json`: one line of JSON when all is ready, and one for each line of standard input. */
import { RaftError } from '../errors/index.js'
import { BadInput, Failed, lineOf } from '../terminal/index.js'
import { type Acting, parse, perform } from '../verbs/index.js'
import type { Line } from './prompt.js'

/** Answers lines until the input ends or a line says `quit`. */
export async function serveLines(
  acting: Acting,
  lines: AsyncIterable<Line>,
  dir: string,
  signal: AbortSignal,
): Promise<void> {
  const conversation = { showsEvents: false, isEnded: false }
  write({ ready: true, page: null, api: null, etcd: [], dir, token: null })
  try {
    for await (const line of lines) {
      const answer = await answerTo({ ...acting, conversation }, line)
      if (signal.aborted) return
      write(answer)
      if (conversation.isEnded) return
    }
  } catch (error) {
    if (signal.aborted) return
    // A line that is too long, or an input that cannot be read: nothing behind it can be.
    write(refusal(error))
    throw error
  }
}

async function answerTo(acting: Acting, line: Line): Promise<object> {
  try {
    const command = parse(line())
    const data = command === undefined ? {} : (await perform(acting, command)).data
    return { ok: true, ...data }
  } catch (error) {
    return refusal(error)
  }
}

function refusal(error: unknown): object {
  return { ok: false, code: codeOf(error), message: lineOf(error) }
}

/** The code of a `RaftError`; for what the command line itself says, whose fault it is. */
function codeOf(error: unknown): string {
  if (error instanceof RaftError) return error.code
  if (error instanceof BadInput) return 'BAD_INPUT'
  return error instanceof Failed ? 'FAILED' : 'INTERNAL'
}

function write(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
