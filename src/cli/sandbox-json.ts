/** `raftbox sandbox --json`: one line of JSON when all is ready, and one for each line of standard input. */
import { type Acting, answerTo, refusalOf } from '../verbs/index.js'
import type { Line } from './prompt.js'

/** The addresses by which a program reaches the sandbox. `null`: there is none. */
export interface ReadyTold {
  readonly page: string | null
  readonly api: string | null
  readonly etcd: readonly string[]
  readonly dir: string
  readonly token: string | null
}

/** Answers lines until the input ends or a line says `quit`. */
export async function serveLines(
  acting: Acting,
  lines: AsyncIterable<Line>,
  ready: ReadyTold,
  signal: AbortSignal,
): Promise<void> {
  const conversation = { showsEvents: false, isEnded: false }
  write({ ready: true, ...ready })
  try {
    for await (const line of lines) {
      const answer = await answered({ ...acting, conversation }, line)
      if (signal.aborted) return
      write(answer)
      if (conversation.isEnded) return
    }
  } catch (error) {
    if (signal.aborted) return
    // A line that is too long, or an input that cannot be read: nothing behind it can be.
    write(refusalOf(error))
    throw error
  }
}

async function answered(acting: Acting, line: Line): Promise<object> {
  try {
    return { ok: true, ...(await answerTo(acting, line())).data }
  } catch (error) {
    return refusalOf(error)
  }
}

function write(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
